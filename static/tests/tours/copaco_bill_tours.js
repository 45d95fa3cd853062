import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");

tours.add("copaco_bill_differs", {
    steps: () => [
        {
            content: "A bill that was entered manually has other totals",
            trigger:
                ".o_group_header:contains('Bill differs') ~ .o_data_row .o_data_cell[name='invoice_number']",
            run: "click",
        },
        {
            content: "Both figures are said",
            trigger: ".o_form_view:contains('14.00'):contains('15.00')",
        },
        {
            trigger: "button[name='action_link_bill']",
            run: "click",
        },
        {
            trigger: ".o_form_view .o_arrow_button_current:contains('Invoiced')",
        },
        {
            content: "See the bill",
            trigger: "button[name='action_view_invoice']",
            run: "click",
        },
        {
            trigger:
                ".o_form_view .o_field_widget[name='tax_totals']:contains('14.00')",
        },
    ],
});

tours.add("copaco_bill_linked", {
    steps: () => [
        {
            content: "The bill that was received first is that of the document",
            trigger: ".o_form_view .o_arrow_button_current:contains('Invoiced')",
        },
        {
            trigger: "button[name='action_view_invoice']",
            run: "click",
        },
        {
            trigger:
                ".o_form_view .o_field_widget[name='tax_totals']:contains('15.00')",
        },
    ],
});

tours.add("copaco_bill_received", {
    steps: () => [
        {
            content: "The vendor's own bill is there, too",
            trigger: "button[name='action_copaco_use_received']",
            run: "click",
        },
        {
            content: "It has taken the place of the draft",
            trigger:
                ".o_form_view:not(:has(button[name='action_copaco_use_received'])) .o_field_widget[name='tax_totals']:contains('15.00')",
        },
    ],
});

tours.add("copaco_finding", {
    steps: () => [
        {
            trigger:
                ".o_data_row:contains('Sale below cost') .o_data_cell[name='message']",
            run: "click",
        },
        {
            content: "It says what costs more than it brings",
            trigger: ".o_form_view:contains('10.00'):contains('11.00')",
        },
        {
            trigger: ".o_field_widget[name='reason'] input",
            run: "edit Agreed with the customer",
        },
        {
            trigger: "button[name='action_accept']",
            run: "click",
        },
        {
            trigger: ".o_arrow_button_current:contains('Accepted')",
        },
    ],
});
