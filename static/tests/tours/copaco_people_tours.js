import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");

function next(content, step) {
    return [
        {
            content,
            trigger: ".modal footer button[name='action_next']",
            run: "click",
        },
        {
            trigger: `.modal .o_statusbar_status button[data-value='${step}'].o_arrow_button_current`,
        },
    ];
}

tours.add("copaco_setup", {
    steps: () => [
        {
            content: "Fetch, while nothing is set up",
            trigger: ".o_control_panel button[name='action_copaco_fetch']",
            run: "click",
        },
        {
            content: "The key comes first",
            trigger: ".modal .o_field_widget[name='api_key'] input[type='password']",
            run: "edit key-of-the-tour",
        },
        ...next("It is tested on the way", "test"),
        {
            content: "What the key may see",
            trigger:
                ".modal .o_field_widget[name='access_message']:contains('the key may fetch them')",
        },
        ...next("Then the books", "books"),
        {
            content: "How three typical customers are invoiced",
            trigger: ".modal .copaco_typical_customers",
        },
        ...next("Then the first day", "start"),
        {
            trigger: ".modal .o_field_widget[name='import_from']",
        },
        ...next("Then the preview", "preview"),
        {
            trigger: ".modal button[name='action_try_examples']",
            run: "click",
        },
        {
            content: "The preview of Copaco's examples",
            trigger: ".o_form_view:contains('This is a preview')",
        },
    ],
});

const row = (name) => `.o_data_row:contains('${name}')`;

tours.add("copaco_decide_all", {
    steps: () => [
        {
            content: "What waits is grouped by its reason",
            trigger: ".o_group_header:contains('Customer unknown (3)')",
        },
        {
            content: "The action of the reason is in the row",
            trigger: `${row("Drukkerij")} button:contains('Decide')`,
            run: "click",
        },
        {
            content: "Copaco's data and the contact's, equal ones marked",
            trigger: `${row("Drukkerij")} .copaco_comparison .fa-check`,
        },
        {
            content: "What will become of it",
            trigger: `${row("Drukkerij")}:contains('Draft invoices: 1')`,
        },
        {
            content: "Tick all",
            trigger: ".o_list_table thead .o_list_record_selector input",
            run: "click",
        },
        {
            trigger: ".o_control_panel button:contains('Accept suggestions')",
            run: "click",
        },
        {
            trigger: ".o_notification_content:contains('Invoiced: 3')",
        },
        {
            content: "The rows are where they were; one was a mistake",
            trigger: `${row("Drukkerij")} button:contains('Undo')`,
            run: "click",
        },
        {
            content: "It can be decided anew, the others stay",
            trigger: `${row("Drukkerij")} button:contains('Accept')`,
        },
        {
            trigger: `${row("Slagerij")} button:contains('Undo')`,
        },
    ],
});

tours.add("copaco_overview", {
    steps: () => [
        {
            trigger: ".o_data_row .o_data_cell",
            run: "click",
        },
        {
            content: "A figure opens what it adds up",
            trigger: "a[href$='copaco-overview-held']:contains('12.50')",
            run: "click",
        },
        {
            trigger: ".o_group_header:contains('12.50')",
            run: "click",
        },
        {
            content: "... which opens its document",
            trigger: ".o_data_row .o_data_cell[name='document_id']",
            run: "click",
        },
        {
            trigger: ".o_form_view .o_field_widget[name='invoice_number']",
        },
        {
            content: "The way back is short",
            trigger: ".o_back_button, .breadcrumb a:contains('Held')",
        },
    ],
});
