import {registry} from "@web/core/registry";
import {ListRenderer} from "@web/views/list/list_renderer";
import {listView} from "@web/views/list/list_view";

/**
 * Enter presses the button of a row that has the focus. Odoo's own lists open or edit
 * the row then, so that only Space would press it.
 */
class CopacoListRenderer extends ListRenderer {
    onCellKeydown(ev) {
        if (ev.key !== "Enter" || !ev.target.closest(".o_list_button button")) {
            super.onCellKeydown(...arguments);
        }
    }
}

registry.category("views").add("copaco_list", {
    ...listView,
    Renderer: CopacoListRenderer,
});
