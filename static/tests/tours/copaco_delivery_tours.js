import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");

tours.add("copaco_readiness", {
    steps: () => [
        {
            content: "What the next invoice lacks is said",
            trigger:
                ".o_data_row:contains('Bakkerij') .o_data_cell[name='copaco_missing']:contains('Email')",
        },
        {
            content: "Everything is beside it, and nothing has to be scrolled to",
            trigger: ".o_list_renderer",
            run({anchor}) {
                if (anchor.scrollWidth > anchor.clientWidth) {
                    throw new Error(`The list is ${anchor.scrollWidth} px wide.`);
                }
            },
        },
        {
            content: "Correct it in the list",
            trigger: ".o_data_row:contains('Bakkerij') .o_data_cell[name='email']",
            run: "click",
        },
        {
            trigger: ".o_selected_row .o_data_cell[name='email'] input",
            run: "edit info@bakkerij.example",
        },
        {
            trigger: ".o_list_button_save",
            run: "click",
        },
        {
            content: "Nothing is missing any more",
            trigger:
                ".o_data_row:not(.o_selected_row):contains('info@bakkerij.example') .o_data_cell[name='copaco_missing']:not(:contains('Email'))",
        },
    ],
});

tours.add("copaco_mail_merge", {
    steps: () => [
        {
            content: "The month",
            trigger: ".o_kanban_record:contains('Documents: 1')",
            run: "click",
        },
        {
            trigger: ".o_form_view button:contains('Mail-merge sheet')",
            run: "click",
        },
        {
            content: "Its invoice, and whom no letter reaches by e-mail",
            trigger: ".modal .o_field_widget[name='move_count']:contains('1')",
        },
        {
            trigger: ".modal .o_field_widget[name='no_email_count']:contains('1')",
        },
        {
            trigger:
                ".modal .o_field_widget[name='column_names'] label:contains('Fixed')",
            run: "click",
        },
        {
            trigger: ".modal button[name='action_download']:enabled",
        },
        {
            trigger: ".modal footer button:contains('Close')",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
    ],
});
