import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");

tours.add("copaco_fetch", {
    steps: () => [
        {
            content: "Fetch from Odoo's own list of customer invoices",
            trigger: ".o_control_panel button[name='action_copaco_fetch']",
            run: "click",
        },
        {
            content: "The notification tells what was made",
            trigger:
                ".o_notification_body:contains('invoiced: 1, held for a decision: 1')",
        },
        {
            content: "It leads to what was received",
            trigger: ".o_notification button:contains('Show what was received')",
        },
        {
            content: "The invoice is in the list already",
            trigger: ".o_data_row:contains('Bakkerij')",
        },
        {
            trigger: ".o_menu_sections button:contains('Copaco')",
            run: "click",
        },
        {
            trigger: ".dropdown-item:contains('Runs')",
            run: "click",
        },
        {
            content: "Open the newest run",
            trigger: ".o_data_row:first .o_data_cell[name='date_from']",
            run: "click",
        },
        {
            content: "The run's page has the reconciliation",
            trigger: ".copaco_reconciliation_table:contains('Received')",
        },
        {
            trigger: ".o_form_view:contains('Balanced, to the cent')",
        },
    ],
});

tours.add("copaco_decide", {
    steps: () => [
        {
            content: "What waits says why",
            trigger: ".o_data_row .o_data_cell[name='next_step']:contains('It may be')",
            run: "click",
        },
        {
            content: "Go to the customer",
            trigger: "button[name='action_view_customer'].btn-link",
            run: "click",
        },
        {
            content: "Accept the suggestion",
            trigger: ".o_form_view button[name='action_accept']",
            run: "click",
        },
        {
            content: "The invoice is made at once",
            trigger: ".o_notification_content:contains('Invoiced: 1')",
        },
        {
            trigger: ".o_arrow_button_current:contains('Linked')",
        },
    ],
});

tours.add("copaco_set_key", {
    steps: () => [
        {
            content: "Open the connection",
            trigger: ".o_data_row .o_data_cell[name='name']",
            run: "click",
        },
        {
            content: "Set the key in its dialog",
            trigger: ".o_form_view button:contains('Set API key')",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name='api_key'] input[type='password']",
            run: "edit simulator-key-of-the-tour",
        },
        {
            trigger: ".modal footer button[name='action_save']",
            run: "click",
        },
        {
            content: "Only the last four are shown",
            trigger: ".o_field_widget[name='api_key_hint']:contains('tour')",
        },
        {
            content: "Test the connection",
            trigger: ".o_form_view button[name='action_test_connection']",
            run: "click",
        },
        {
            trigger: ".o_notification_body:contains('X-API-Key')",
        },
        {
            content: "The key itself is nowhere on the page",
            trigger: "body:not(:contains('simulator-key-of-the-tour'))",
        },
    ],
});

tours.add("copaco_send_again", {
    steps: () => [
        {
            content: "What did not reach its customer says why",
            trigger:
                ".o_data_row:contains('Bakkerij') .o_data_cell[name='message']:contains('has no e-mail address')",
        },
        {
            content: "Open the invoice",
            trigger: ".o_data_row:contains('Bakkerij') .o_data_cell[name='move_id']",
            run: "click",
        },
        {
            content: "It says so, too",
            trigger: ".o_form_view .alert:contains('has no e-mail address')",
        },
        {
            content: "Correct the contact",
            trigger: ".o_form_view .o_field_widget[name='partner_id'] a",
            run: "click",
        },
        {
            trigger: ".o_form_view .o_field_widget[name='email'] input",
            run: "edit info@bakkerij.example",
        },
        {
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "Back to the invoice",
            trigger: ".o_form_saved .o_field_widget[name='email']",
        },
        {
            trigger: ".breadcrumb-item.o_back_button a, .o_breadcrumb .o_back_button a",
            run: "click",
        },
        {
            content: "Send it again",
            trigger: ".o_form_view button[name='action_copaco_send_again']",
            run: "click",
        },
        {
            trigger:
                ".o_notification_content:contains('Sent: 1, could not be sent: 0')",
        },
        {
            content: "Nothing is said any more",
            trigger:
                ".o_form_view:not(:has(button[name='action_copaco_send_again'])) .o_field_widget[name='partner_id']",
        },
    ],
});

tours.add("copaco_was_delivered", {
    steps: () => [
        {
            content: "Tick what arrived nevertheless",
            trigger: ".o_data_row:contains('Bakkerij') .o_list_record_selector input",
            run: "click",
        },
        {
            trigger: ".o_control_panel button[name='action_was_delivered']",
            run: "click",
        },
        {
            content: "It is asked first",
            trigger: ".modal-body:contains('They will not be sent again')",
        },
        {
            trigger: ".modal-footer .btn-primary",
            run: "click",
        },
        {
            content: "It is no longer in the list",
            trigger: ".o_list_view:not(:has(.o_data_row:contains('Bakkerij')))",
        },
    ],
});

const testConnection = [
    {
        content: "Open the connection",
        trigger: ".o_data_row .o_data_cell[name='name']",
        run: "click",
    },
    {
        content: "Test it",
        trigger: ".o_form_view button[name='action_test_connection']",
        run: "click",
    },
];

tours.add("copaco_test_connection", {
    steps: () => [
        ...testConnection,
        {
            content: "What Copaco did not release is named, with the permission",
            trigger: ".o_notification_body:contains('Get Customer Invoices')",
        },
        {
            content: "The result stays on the connection",
            trigger:
                ".o_field_widget[name='access_message']:contains('not released for your key')",
        },
        {
            trigger:
                ".o_form_view:not(:has(button[name='action_use_customer_invoices']:visible))",
        },
    ],
});

tours.add("copaco_use_customer_invoices", {
    steps: () => [
        ...testConnection,
        {
            content: "Customer-Invoices are released: they are proposed",
            trigger: ".o_form_view button[name='action_use_customer_invoices']:visible",
            run: "click",
        },
        {
            content: "They are the source from now on",
            trigger:
                ".o_field_widget[name='source'] input[data-value='customer_invoices']:checked",
        },
        {
            content: "Fetch",
            trigger: ".o_form_view button[name='action_fetch']",
            run: "click",
        },
        {
            trigger: ".o_notification_content:contains('1')",
        },
    ],
});
