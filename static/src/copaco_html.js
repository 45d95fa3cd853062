import {htmlField} from "@web/views/fields/html/html_field";
import {registry} from "@web/core/registry";

// The HTML editor's field, which takes the place of this one, opens each link in a tab
// of its own.
registry.category("fields").add("copaco_html", htmlField);
