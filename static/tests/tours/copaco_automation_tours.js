import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");
const row = ".o_data_row:contains('Customer A1')";

tours.add("copaco_unusual_invoice", {
    steps: () => [
        {
            content: "It says what stands out, and what to do",
            trigger: `${row}:contains('was billed')`,
        },
        {
            content: "The document says it too",
            trigger: `${row} .o_data_cell[name='invoice_number']`,
            run: "click",
        },
        {
            trigger:
                ".alert:contains('Total differs'):contains('Lines of') button[name='action_confirm_invoice']",
        },
        {
            content: "Back to what waits",
            trigger: ".breadcrumb-item a:contains('To Do')",
            run: "click",
        },
        {
            content: "A person confirms it where it is listed",
            trigger: `${row} button[name='action_confirm_invoice']`,
            run: "click",
        },
        {
            trigger: ".o_view_nocontent:contains('Nothing waits for you')",
        },
    ],
});

tours.add("copaco_overrule", {
    steps: () => [
        {
            content: "The connection says how many customers have earned what",
            trigger: ".o_data_row .o_data_cell[name='name']:contains('Test')",
            run: "click",
        },
        {
            trigger:
                ".o_field_widget[name='automation_summary']:contains('confirm: 1')",
        },
        {
            trigger: "button[name='action_view_automation']",
            run: "click",
        },
        {
            content: "Who earned what, and why",
            trigger: `${row}:contains('2 of 2'):contains('Confirm')`,
        },
        {
            trigger: `${row} .o_data_cell[name='invoice_policy']`,
            run: "click",
        },
        {
            content: "A person overrules it in the list",
            trigger: `.o_selected_row .o_field_widget[name='invoice_policy'] select, .o_selected_row .o_field_widget[name='invoice_policy'] input`,
            run: "click",
        },
        {
            trigger: ".o_select_menu_item:contains('Leave as draft')",
            run: "click",
        },
        {
            trigger: ".o_list_button_save",
            run: "click",
        },
        {
            trigger: `.o_data_row:not(.o_selected_row):contains('Customer A1'):contains('Chosen on the customer')`,
        },
    ],
});
