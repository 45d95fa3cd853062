import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");

tours.add("copaco_correct", {
    steps: () => [
        {
            content: "What Copaco changed after it was invoiced waits",
            trigger:
                ".o_data_row .o_data_cell[name='next_step']:contains('Copaco changed')",
            run: "click",
        },
        {
            content: "What was, what is, and the difference",
            trigger: ".o_field_widget[name='pending_difference']:contains('2.50')",
        },
        {
            content: "Prepare the correction",
            trigger: "button[name='action_correct']",
            run: "click",
        },
        {
            content: "A draft of exactly the difference",
            trigger: ".o_form_view .o_field_widget[name='tax_totals']:contains('2.50')",
        },
        {
            trigger: ".o_form_view .o_arrow_button_current:contains('Draft')",
        },
        {
            content: "It leads back to the document",
            trigger: "button[name='action_view_copaco_document']",
            run: "click",
        },
        {
            trigger: ".o_form_view .o_arrow_button_current:contains('Invoiced')",
        },
        {
            content: "And the document leads to it",
            trigger: "button[name='action_view_corrections']:contains('1')",
        },
    ],
});

tours.add("copaco_fill_hole", {
    steps: () => [
        {
            content: "A month of which a part was not fetched",
            trigger:
                ".o_kanban_record:contains('Partly fetched'):contains('Days not fetched')",
            run: "click",
        },
        {
            content: "It says so",
            trigger:
                ".o_form_view .alert:contains('Days of this month that were not fetched')",
        },
        {
            content: "Fetch it",
            trigger: "button[name='action_fetch'].btn-primary",
            run: "click",
        },
        {
            trigger: ".o_notification_body:contains('invoiced: 1')",
        },
        {
            content: "It is complete, and the invoice is in the reconciliation",
            trigger: ".o_form_view .o_field_widget[name='state']:contains('Complete')",
        },
        {
            trigger: ".o_field_widget[name='reconciliation']:contains('10.00')",
        },
    ],
});

tours.add("copaco_reconciliation", {
    steps: () => [
        {
            content: "What isn't done is drawn before what would be",
            trigger:
                ".o_statusbar_status button:contains('Needs attention').o_arrow_button_current",
        },
        {
            content: "The row leads to its documents",
            trigger: ".o_field_widget[name='reconciliation'] a:contains('Held')",
            // Odoo opens it in a new tab, which a tour can't follow.
            run({anchor}) {
                anchor.removeAttribute("target");
                anchor.click();
            },
        },
        {
            trigger: ".o_breadcrumb .active:contains('Copaco Documents: Held')",
        },
        {
            trigger: ".o_list_view .o_data_row:contains('INV-1')",
        },
        {
            content: "And back to the run",
            trigger: ".breadcrumb-item.o_back_button a",
            run: "click",
        },
        {
            trigger: ".o_form_view .o_field_widget[name='reconciliation']",
        },
    ],
});

tours.add("copaco_dashboard", {
    steps: () => [
        {
            content: "The card of the journal says what waits, and how much",
            trigger: ".o_kanban_record div[name='copaco']:contains('10.00')",
        },
        {
            trigger: ".o_kanban_record a:contains('Copaco to do: 1')",
            run: "click",
        },
        {
            trigger: ".o_list_view .o_data_row:contains('INV-1')",
        },
    ],
});
