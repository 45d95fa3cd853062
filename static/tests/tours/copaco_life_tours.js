import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");

tours.add("copaco_other_contact", {
    steps: () => [
        {
            content: "An invoice that was posted to the wrong contact",
            trigger: "button:contains('Invoice to another contact')",
            run: "click",
        },
        {
            content: "Whom it was invoiced to, and whom its customer is linked to now",
            trigger:
                ".modal .o_field_widget[name='move_partner_id']:contains('Bakkerij')",
        },
        {
            trigger: ".modal button:contains('Credit and invoice')",
            run: "click",
        },
        {
            content: "A draft that credits it in full",
            trigger: ".o_data_row:contains('Bakkerij'):contains('Draft')",
        },
        {
            content: "And a draft for the other contact",
            trigger: ".o_data_row:contains('Draft') .o_data_cell:contains('Slagerij')",
            run: "click",
        },
        {
            trigger: ".o_form_view button[name='action_view_copaco_document']",
        },
        {
            content: "It says which invoice it replaces",
            trigger: ".o-mail-Message:contains('which is credited in full')",
        },
    ],
});

tours.add("copaco_correct_beside_credit", {
    steps: () => [
        {
            content: "What Copaco took off, and somebody had credited in part",
            trigger:
                ".o_data_row .o_data_cell[name='next_step']:contains('Copaco changed')",
            run: "click",
        },
        {
            trigger: "button[name='action_correct']",
            run: "click",
        },
        {
            content: "The draft has what is left",
            trigger: ".o_form_view .o_field_widget[name='tax_totals']:contains('5.99')",
        },
        {
            content: "And names the credit note",
            trigger: ".o-mail-Message:contains('a person credited')",
        },
    ],
});
