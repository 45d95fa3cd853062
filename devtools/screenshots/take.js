// Arguments: the browser, Odoo's URL, the folder for the pictures, and the file with
// [path, height] by the name of each picture, and after these the button to press, and
// the optional columns to show.
const {readFileSync} = require("fs");
const {chromium} = require("playwright-core");

const [browserPath, url, folder, pages] = process.argv.slice(2);

(async () => {
    const browser = await chromium.launch({
        executablePath: browserPath,
        args: ["--no-sandbox", "--disable-gpu"],
    });
    const page = await browser.newPage();
    await page.goto(`${url}/web/login`);
    await page.fill("input[name=login]", "admin");
    await page.fill("input[name=password]", "admin");
    await page.click("button[type=submit]");
    await page.waitForSelector(".o_main_navbar");
    for (const [name, [path, height, button, columns]] of Object.entries(
        JSON.parse(readFileSync(pages))
    )) {
        await page.setViewportSize({width: 1280, height});
        await page.goto(url + path);
        await page.waitForSelector(
            ".o_view_controller .o_content, .modal .o_form_view"
        );
        if (button) {
            await page.click(`button:has-text("${button}")`);
            await page.waitForSelector(".modal .o_form_view");
        }
        if (columns) {
            await page.click(".o_optional_columns_dropdown button");
            for (const column of columns) {
                await page
                    .locator(".o-dropdown--menu .dropdown-item")
                    .filter({hasText: new RegExp(`^\\s*${column}\\s*$`)})
                    .click();
            }
            await page.keyboard.press("Escape");
        }
        await page.mouse.move(0, height - 1);
        // For what is drawn later, such as the button that has the focus.
        await page.waitForTimeout(2000);
        await page.evaluate(() => document.activeElement.blur());
        await page.screenshot({path: `${folder}/${name}.png`});
    }
    await browser.close();
})();
