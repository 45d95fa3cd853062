import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");

function chooseProduct(scope, name) {
    return [
        {
            trigger: `${scope} .o_field_widget[name='product_id'] input`,
            run: `edit ${name}`,
        },
        {
            trigger: `.o-autocomplete--dropdown-item:contains('${name}')`,
            run: "click",
        },
    ];
}

tours.add("copaco_map_plans", {
    steps: () => [
        {
            content: "A document is held because nobody said what the plan is",
            trigger:
                ".o_data_row .o_data_cell[name='hold_message']:contains('Plan VOIP')",
            run: "click",
        },
        {
            content: "One click to its plans",
            trigger: "button[name='action_view_plans']",
            run: "click",
        },
        {
            content: "What is alike is suggested, and accepted with a click",
            trigger:
                ".o_data_row:contains('Plan M365') button[name='action_accept']:visible",
            run: "click",
        },
        {
            trigger:
                ".o_data_row:contains('Plan M365') .o_data_cell[name='product_id']:contains('Plan M365')",
        },
        {
            content: "The product of another is filled in, in the list itself",
            trigger:
                ".o_data_row:contains('Plan VOIP') .o_data_cell[name='product_id']",
            run: "click",
        },
        ...chooseProduct(".o_selected_row", "Telephony"),
        {
            trigger: ".o_list_button_save",
            run: "click",
        },
        {
            trigger:
                ".o_data_row:not(.o_selected_row):contains('Telephony') button[name='action_view_rule']",
        },
        {
            content: "What waited for that is invoiced",
            trigger: ".o_control_panel button[name='action_process_drafts']",
            run: "click",
        },
        {
            trigger: ".o_notification_content:contains('Invoiced: 1')",
        },
    ],
});

tours.add("copaco_rule_from_line", {
    steps: () => [
        {
            content: "Open the document",
            trigger: ".o_data_row .o_data_cell[name='invoice_number']",
            run: "click",
        },
        {
            content: "This line is something else",
            trigger:
                ".o_data_row:contains('Telephone') button[name='action_create_rule']",
            run: "click",
        },
        {
            content: "The rule is about its plan, and says what it catches",
            trigger: ".modal .o_field_widget[name='effect']:contains('catches: 1')",
        },
        ...chooseProduct(".modal", "Telephony"),
        {
            content: "What it would change is shown before it is saved",
            trigger:
                ".modal .copaco_rule_changed tr:contains('no rule'):contains('Telephony')",
        },
        {
            trigger: ".modal .o_form_button_save",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
        {
            content: "The draft is updated",
            trigger: ".o_form_view button[name='action_retry']:visible",
            run: "click",
        },
        {
            trigger: ".o_notification_content:contains('Invoiced: 1')",
        },
        {
            content: "The line says what it became",
            trigger:
                ".o_data_row:contains('Telephone') .o_data_cell[name='product_id']:contains('Telephony')",
        },
    ],
});

tours.add("copaco_typical_customers", {
    steps: () => [
        {
            content: "Open the connection",
            trigger: ".o_data_row .o_data_cell[name='name']",
            run: "click",
        },
        {
            content: "A service with a tax of goods is warned of",
            trigger: ".alert-warning:contains('tax of goods')",
        },
        {
            trigger:
                ".copaco_typical_customers tr:contains('another EU'):contains('3b')",
        },
        {
            trigger: "button[name='action_use_services']",
            run: "click",
        },
        {
            content: "Typical customers are invoiced for services now",
            trigger:
                ".copaco_typical_customers tr:contains('another EU'):contains('0% EX EU S')",
        },
        {
            trigger: "body:not(:has(.alert-warning:visible:contains('tax of goods')))",
        },
    ],
});
