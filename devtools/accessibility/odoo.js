// What axe finds and Odoo draws on every page, or whoever uses a widget of its: the
// rules, and the selector of the elements.
module.exports = [
    ["*", ".o_main_navbar, .o_main_navbar *"],
    ["*", ".o_searchview, .o_searchview *"],
    ["*", ".o-mail-Chatter :not(.o-mail-Message-body *)"],
    ["*", ".o_datetime_picker *, .o_field_daterange i, .o-mail-ellipsis"],
    ["*", ".o_field_list_activity *, .o_field_actionable_errors *"],
    ["image-alt", ".o_avatar img, .o_m2o_avatar img"],
    ["html-has-lang", "html"],
    ["aria-dialog-name", ".modal[role=dialog]"],
    ["aria-allowed-attr", ".o_tag, .o-autocomplete--input, .o-dropdown"],
    ["aria-required-parent", ".o_notebook .nav-link, .settings_tab .tab"],
    ["autocomplete-valid", ".o_select_menu_input"],
    ["button-name", ".o_optional_columns_dropdown button"],
    ["label", ".o_list_renderer .form-check-input"],
    // Odoo's colours: of badges, of the heads of a pivot table, of the help of settings.
    ["color-contrast", ".o_field_badge .badge, .o_field_label_selection .badge"],
    ["color-contrast", ".o_pivot th, .o_setting_box *, .o_account_kanban .text-muted"],
    ["frame-title", "#invoice_html"],
    ["color-contrast", ".js_language_selector *"],
];
