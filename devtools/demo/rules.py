"""What the reseller of the demonstration sets up before the first fetch: products,
accounts, taxes and analytic accounts, and the rules that choose them."""

# Products that lines become, with the account where it isn't the one for services.
PRODUCTS = {
    "Microsoft 365": None,
    "Microsoft Copilot": None,
    "Microsoft Azure": "8015",
    "Backup": None,
    "Domain names": None,
    "Telephony": None,
    "Software licences": None,
    "Consultancy": "8025",
}
TEAMS = ("Workplace", "Cloud", "Consultancy")
# Conditions, and what a line that meets them becomes; the first rule wins. Nothing is
# said of VMware and of what is billed by hand: the user finds those under Plans.
RULES = (
    ({"plan_ref": "20901"}, {"product": "Consultancy", "team": "Consultancy"}),
    ({"plan_ref": "20900"}, {"product": "Software licences"}),
    ({"text_contains": "Copilot"}, {"product": "Microsoft Copilot", "team": "Cloud"}),
    (
        {"plan_category": "Microsoft 365", "billing_frequency": "Yearly"},
        {"product": "Microsoft 365", "account": "8015", "team": "Workplace"},
    ),
    (
        {"plan_category": "Microsoft 365", "charge_type": "Correction"},
        {"product": "Microsoft 365", "account": "8090"},
    ),
    (
        {"plan_category": "Microsoft 365"},
        {"product": "Microsoft 365", "team": "Workplace"},
    ),
    (
        {"plan_category": "Microsoft Azure", "charge_type": "Usage Fee"},
        {
            "product": "Microsoft Azure",
            "expense": "7040",
            "team": "Cloud",
            "lowest margin": 5,
        },
    ),
    ({"plan_category": "Veeam"}, {"product": "Backup", "team": "Cloud"}),
    ({"plan_category": "Acronis"}, {"product": "Backup", "team": "Cloud"}),
    ({"plan_category": "InterNetX"}, {"product": "Domain names"}),
    (
        {"plan_category": "Telecom"},
        {"product": "Telephony", "tax": "btw_verk_0"},
    ),
)


def create_rules(env, connection):
    """Create the rules with what they choose, as the chart of accounts has it for a new
    user: the products become services by the connection's own button."""
    chart = env["account.chart.template"]
    products = create_products(env)
    teams = create_teams(env)
    # Telecommunication is reverse-charged within the country, too. To other countries
    # it is a service like others, which the chart doesn't say of this tax.
    chart.ref("btw_X0_diensten").original_tax_ids += chart.ref("btw_verk_0")
    for place, (conditions, results) in enumerate(RULES, start=1):
        values = {
            "sequence": place,
            "product_id": products[results["product"]].id,
            "margin_threshold": results.get("lowest margin", 0),
        }
        if "account" in results:
            values["account_id"] = chart.ref(results["account"]).id
        if "expense" in results:
            values["expense_account_id"] = chart.ref(results["expense"]).id
        if "tax" in results:
            values["tax_ids"] = chart.ref(results["tax"]).ids
        if "team" in results:
            values["analytic_distribution"] = {str(teams[results["team"]].id): 100}
        env["copaco.rule"].create(conditions | values)
    connection.action_use_services()


def create_products(env):
    chart = env["account.chart.template"]
    return {
        name: env["product.product"].create(
            {
                "name": name,
                "type": "service",
                "property_account_income_id": account and chart.ref(account).id,
            }
        )
        for name, account in PRODUCTS.items()
    }


def create_teams(env):
    env["res.config.settings"].create({"group_analytic_accounting": True}).execute()
    plan = env["account.analytic.plan"].create({"name": "Teams"})
    return {
        name: env["account.analytic.account"].create({"name": name, "plan_id": plan.id})
        for name in TEAMS
    }
