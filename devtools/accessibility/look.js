// Arguments: the browser, Odoo's URL, the file with the pages by name, and the file for
// what was found: {checked, faults: {page: [text]}, odoo: {rule: count}}.
const {readFileSync, writeFileSync} = require("fs");
const {chromium} = require("playwright-core");
const ODOO = require("./odoo.js");
const KEYBOARD = require("./keyboard.js");

const [browserPath, url, pagesPath, foundPath] = process.argv.slice(2);
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const LANGUAGES = ["nl_NL", "fr_FR", "de_DE"];
const DESKTOP = {width: 1280, height: 900};
const PHONE = {width: 390, height: 844};
const CONTENT = ".o_action_manager .o_content, .modal .o_form_view, main";

const found = {checked: 0, faults: {}, odoo: {}};

function report(name, faults) {
    found.checked++;
    if (process.env.V) {
        console.log(name, faults.length);
        writeFileSync(foundPath, JSON.stringify(found, null, 1));
    }
    if (faults.length) {
        (found.faults[name] ||= []).push(...faults);
    }
}

async function open(page, {action, options, url: path}) {
    if (path) {
        await page.goto(url + path);
    } else {
        await page.evaluate(
            ([request, opening]) =>
                odoo.__WOWL_DEBUG__.root.env.services.action.doAction(request, opening),
            [action, {clearBreadcrumbs: true, ...options}]
        );
    }
    await page.waitForSelector(CONTENT, {timeout: 10000});
    // For what is drawn later, and what tells that a page loads.
    await page.waitForTimeout(300);
    await page.waitForSelector(".o_loading_indicator", {state: "detached"});
}

async function close(page) {
    for (const button of await page.$$(".o_dialog .btn-close")) {
        await button.click();
    }
}

// axe: what hinders people with an impairment, unless it is Odoo's own.

async function findBarriers(page) {
    if (!(await page.evaluate(() => Boolean(window.axe)))) {
        await page.evaluate(AXE);
    }
    const [ours, odoo] = await page.evaluate(async (known) => {
        const isOdoos = (rule, element) =>
            known.some(
                ([rules, selector]) =>
                    (rules === "*" || rules.split(" ").includes(rule)) &&
                    element.matches(selector)
            );
        const {violations} = await window.axe.run(document, {elementRef: true});
        const faults = [];
        const counts = {};
        for (const {id, impact, nodes} of violations) {
            if (["serious", "critical"].includes(impact)) {
                for (const {element, html, failureSummary} of nodes) {
                    if (isOdoos(id, element)) {
                        counts[id] = (counts[id] || 0) + 1;
                    } else {
                        faults.push(`${id} (${impact}): ${html}\n${failureSummary}`);
                    }
                }
            }
        }
        return [faults, counts];
    }, ODOO);
    for (const [rule, count] of Object.entries(odoo)) {
        found.odoo[rule] = (found.odoo[rule] || 0) + count;
    }
    return ours;
}

// Widths: nothing has to be scrolled sideways.

function findOverflow(page) {
    return page.evaluate(() => {
        const lists = ".o_list_renderer";
        const parts = [document.documentElement, ...document.querySelectorAll(lists)];
        return parts
            .filter((part) => part.scrollWidth > part.clientWidth + 1)
            .map((part) => {
                const name = part.closest("[name]")?.getAttribute("name") || "page";
                return `${name} is ${part.scrollWidth} px wide in ${part.clientWidth}`;
            });
    });
}

async function setLanguage(page, language) {
    await page.evaluate(async (lang) => {
        const {services} = odoo.__WOWL_DEBUG__.root.env;
        await services.orm.write("res.users", [2], {lang});
    }, language);
    await page.goto(`${url}/odoo/accounting`);
    await page.waitForSelector(CONTENT);
}

async function login(browser, viewport) {
    const page = await browser.newPage({viewport, reducedMotion: "reduce"});
    await page.goto(`${url}/web/login`);
    await page.fill("input[name=login]", "admin");
    await page.fill("input[name=password]", "admin");
    await page.click("button[type=submit]");
    await page.waitForSelector(".o_main_navbar");
    // What a dialog opens over.
    await page.goto(`${url}/odoo/accounting`);
    await page.waitForSelector(CONTENT);
    return page;
}

async function tryPage(page, name, check) {
    try {
        report(name, (await check()) || []);
    } catch (error) {
        report(name, [error.message]);
        await page.goto(`${url}/odoo/accounting`);
        await page.waitForSelector(CONTENT);
    }
}

// The steps: each page on a desk, its lists in other languages, on a phone, and those
// that are worked in by keyboard.

async function lookAtPages(page, pages) {
    for (const [name, how] of pages) {
        await tryPage(page, name, async () => {
            await open(page, how);
            const faults = [
                ...(await findOverflow(page)),
                ...(await findBarriers(page)),
            ];
            await close(page);
            return faults;
        });
    }
}

async function lookAtLists(page, pages) {
    for (const language of LANGUAGES) {
        await setLanguage(page, language);
        for (const [name, how] of pages.filter(([each]) => each.includes("(list)"))) {
            await tryPage(page, `${name}, ${language}`, async () => {
                await open(page, how);
                return findOverflow(page);
            });
        }
    }
    await setLanguage(page, "en_US");
}

async function lookAtPhone(page, pages) {
    for (const [name, {action}] of pages) {
        if (action && name.includes("(list)")) {
            await tryPage(page, `${name}, phone`, async () => {
                await open(page, {action});
                const cards = await page.locator(".o_action_manager .o_kanban_view");
                const isShown = await cards.count();
                const faults = isShown ? [] : ["Odoo chooses no cards"];
                return [...faults, ...(await findOverflow(page))];
            });
        }
    }
}

async function workByKeyboard(page, pages) {
    for (const [name, how] of pages.filter(([each]) => KEYBOARD[each])) {
        await tryPage(page, `${name}, keyboard`, async () => {
            await open(page, how);
            await KEYBOARD[name](page);
        });
    }
}

(async () => {
    const pages = Object.entries(JSON.parse(readFileSync(pagesPath)));
    const browser = await chromium.launch({
        executablePath: browserPath,
        args: ["--no-sandbox", "--disable-gpu"],
    });
    const desk = await login(browser, DESKTOP);
    await lookAtPages(desk, pages);
    await lookAtLists(desk, pages);
    await lookAtPhone(await login(browser, PHONE), pages);
    await workByKeyboard(desk, pages);
    writeFileSync(foundPath, JSON.stringify(found, null, 1));
    await browser.close();
})();
