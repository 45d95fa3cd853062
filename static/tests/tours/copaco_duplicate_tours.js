import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");

tours.add("copaco_duplicate", {
    steps: () => [
        {
            content: "A possible duplicate waits",
            trigger:
                ".o_data_row:contains('Possible duplicate') .o_data_cell[name='invoice_number']",
            run: "click",
        },
        {
            content: "The page that shows why is open",
            trigger: ".o_form_view .nav-link.active:contains('Possible Duplicates')",
        },
        {
            content: "The two lines side by side, and the document of the other one",
            trigger:
                ".o_field_widget[name='duplicate_table'] tr:contains('10.00'):contains('Same charge') td:contains('Service 1') ~ td:has(a[href^='/odoo/copaco-documents/']:contains('V-1')) ~ td:contains('Service 1')",
        },
        {
            content: "The invoice that it is on",
            trigger:
                ".o_field_widget[name='duplicate_table'] td:contains('Draft') a[href^='/odoo/customer-invoices/']",
        },
        {
            content: "What is new",
            trigger:
                ".o_field_widget[name='duplicate_table'] table:contains('New lines') tr:contains('Service 2'):contains('5.50')",
        },
        {
            content: "Invoice that",
            trigger: "button[name='action_invoice_new_lines'].btn-primary",
            run: "click",
        },
        {
            trigger: ".o_notification_content:contains('Invoiced: 1')",
        },
        {
            trigger: ".o_form_view .o_arrow_button_current:contains('Invoiced')",
        },
        {
            content: "The line that was left out is marked",
            trigger:
                ".o_data_row:contains('Service 1') .o_data_cell[name='is_excluded'] input:checked",
        },
        {
            content: "See the invoice",
            trigger: "button[name='action_view_invoice']",
            run: "click",
        },
        {
            trigger: ".o_form_view .o_field_widget[name='tax_totals']:contains('5.50')",
        },
    ],
});

tours.add("copaco_exclude_duplicates", {
    steps: () => [
        {
            trigger: ".o_data_row:contains('V-2'):contains('Possible duplicate')",
        },
        {
            trigger: ".o_data_row:contains('V-3'):contains('Possible duplicate')",
        },
        {
            content: "Take them all",
            trigger: "thead .o_list_record_selector input",
            run: "click",
        },
        {
            content: "Exclude them",
            trigger: ".o_control_panel button[name='action_exclude_duplicates']",
            run: "click",
        },
        {
            content: "Nothing is left",
            trigger: ".o_view_nocontent:contains('Nothing waits for you')",
        },
    ],
});

tours.add("copaco_keep_old_version", {
    steps: () => [
        {
            content: "The charge is billed twice, and that is said",
            trigger:
                ".alert:contains('Changed by Copaco'):contains('billed twice'):contains('V-2')",
        },
        {
            content: "Keep the old version all the same",
            trigger: "button[name='action_keep_version']",
            run: "click",
        },
        {
            trigger: ".o_notification_content:contains('was not kept'):contains('V-2')",
        },
        {
            trigger: ".alert:contains('Possible duplicate'):contains('was not kept')",
        },
        {
            content: "See why",
            trigger: ".o_form_view .nav-link:contains('Possible Duplicates')",
            run: "click",
        },
        {
            trigger:
                ".o_field_widget[name='duplicate_table'] tr:contains('10.00') td:has(a[href^='/odoo/copaco-documents/']:contains('V-2'))",
        },
        {
            content: "Both have to be paid",
            trigger: "button[name='action_invoice_anyway']",
            run: "click",
        },
        {
            trigger: ".o_form_view .o_arrow_button_current:contains('Invoiced')",
        },
    ],
});
