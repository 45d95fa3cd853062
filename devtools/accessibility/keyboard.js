// What a person decides, and whatever leads somewhere, by keyboard alone.

const TABS = 40;

async function reach(page, selector) {
    await page.waitForSelector(selector);
    // Tab goes round within Odoo's search bar; this leaves it for the list.
    await page.keyboard.press("ArrowDown");
    for (let pressed = 0; pressed < TABS; pressed++) {
        const state = await page.evaluate((wanted) => {
            const focused = document.activeElement;
            if (!focused.matches(wanted)) {
                return "";
            }
            const styles = [focused, focused.parentElement, focused.closest("td")]
                .filter(Boolean)
                .map((element) => window.getComputedStyle(element));
            return styles.some(
                ({outlineStyle, boxShadow}) =>
                    outlineStyle !== "none" || boxShadow !== "none"
            )
                ? "visible"
                : "hidden";
        }, selector);
        if (state === "hidden") {
            throw new Error(`the focus on ${selector} can't be seen`);
        }
        if (state) {
            return;
        }
        await page.keyboard.press("Tab");
    }
    throw new Error(`${selector} is not reached with ${TABS} times Tab`);
}

async function press(page, selector, next) {
    await reach(page, selector);
    await page.keyboard.press("Enter");
    await page.waitForSelector(next);
}

const ROW = ".o_data_row";

// By the name of the page that each begins at.
module.exports = {
    "Copaco: Customers to Decide (list)": async (page) => {
        const undo = `${ROW} button[name=action_undo]`;
        const before = await page.locator(undo).count();
        await reach(page, `${ROW} button[name=action_accept]`);
        await page.keyboard.press("Enter");
        await page.waitForFunction(
            ([selector, count]) => document.querySelectorAll(selector).length > count,
            [undo, before]
        );
    },
    "Copaco: To Do (list)": (page) => reach(page, `${ROW} button`),
    "Copaco Findings (list)": (page) =>
        press(
            page,
            `${ROW} button[name=action_view_subject]`,
            ".o_form_view, .o_back_button"
        ),
    "Copaco Preview (form)": (page) =>
        press(page, "button[name=action_view_documents]", ".o_back_button"),
    "Copaco Run (form, attention, specification)": async (page) => {
        await reach(page, ".copaco_reconciliation_table a");
        const [opened] = await Promise.all([
            page.context().waitForEvent("page"),
            page.keyboard.press("Enter"),
        ]);
        await opened.waitForSelector(".o_list_view");
        await opened.close();
    },
};
