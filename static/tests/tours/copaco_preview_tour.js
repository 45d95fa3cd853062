import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("copaco_preview", {
    steps: () => [
        {
            content: "Open the connection",
            trigger: ".o_data_row .o_data_cell[name='name']",
            run: "click",
        },
        {
            content: "Ask for a preview",
            trigger: ".o_form_view button:contains('Preview…')",
            run: "click",
        },
        {
            content: "The period of the next fetch is filled in",
            trigger: ".modal .o_field_widget[name='date_from']",
        },
        {
            trigger: ".modal footer button[name='action_preview']",
            run: "click",
        },
        {
            content: "One would be invoiced: 20.00 and 21 % tax",
            timeout: 60000,
            trigger:
                ".copaco_outcomes .o_data_row:contains('To invoice'):contains('20.00'):contains('4.20'):contains('24.20')",
        },
        {
            content: "One would be held, and its row says why",
            trigger:
                ".o_field_widget[name='document_ids'] .o_data_row:contains('Café Noord'):contains('Customer unknown')",
        },
        {
            content: "Look at the invoice",
            trigger:
                ".o_field_widget[name='document_ids'] .o_data_row:contains('INV-2') .o_data_cell[name='invoice_number']",
            run: "click",
        },
        {
            content: "It has its lines, under a heading as on Odoo's invoices",
            trigger: ".modal .o_is_line_section:contains('Recurring')",
        },
        {
            trigger: ".modal .o_data_row:contains('Service 1'):contains('20.00')",
        },
        {
            trigger: ".modal .btn-close",
            run: "click",
        },
        {
            content: "Open what would be invoiced as a list of its own",
            trigger:
                "body:not(:has(.modal)) .copaco_outcomes .o_data_row:contains('To invoice') button[name='action_view_documents']",
            run: "click",
        },
        {
            trigger: ".o_list_view .o_data_row:contains('INV-2'):contains('24.20')",
        },
        {
            content: "Back to the preview",
            trigger: ".o_back_button a:contains('Preview:')",
            run: "click",
        },
        {
            content: "Do it for real",
            trigger:
                ".o_form_view button[name='action_fetch']:contains('Fetch this period')",
            run: "click",
        },
        {
            content: "It does what was shown",
            timeout: 60000,
            trigger:
                ".o_notification_body:contains('invoiced: 1, held for a decision: 1')",
        },
    ],
});
