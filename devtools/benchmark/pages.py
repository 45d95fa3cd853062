"""What the web client asks for when a person opens the addon's pages."""

from lxml import etree

from odoo.tools.safe_eval import safe_eval

from .month import TODAY

ADDON = "account_copaco"
LIMIT = 80
COUNT_LIMIT = 10001
ACTIONS = (
    "action_copaco_overview",
    "action_copaco_document_to_do",
    "action_copaco_document",
    "action_copaco_document_line",
    "action_copaco_run",
    "action_copaco_month",
    "action_copaco_customer",
    "action_copaco_plan",
    "action_copaco_finding",
    "action_copaco_margin",
    "action_copaco_margin_comparison",
)
# What a person looks for: a text of most of the records, and one of none.
WORDS = ("Microsoft", "nothing.example")


def measure(env, meter):
    """Open each page as an administrator does, twice: the first time, Odoo reads what
    it then remembers. Yield the figures of the slowest ``list``, ``search``, ``form``
    and ``pivot``, with the name of the ``page``.

    :param meter: `Meter`
    """
    # What other processes do for a query of one isn't counted.
    env.cr.execute("SET max_parallel_workers_per_gather = 0")
    env.cr.commit()
    user = env.ref("base.user_admin")
    env = env(user=user, context={"allowed_company_ids": user.company_id.ids})
    slowest = {}
    for name in ACTIONS:
        page = Page(env, name)
        for part, open_part, *arguments in page.get_parts():
            open_part(*arguments)
            env.cr.rollback()
            env.invalidate_all()
            with meter.measured(part=part) as figures:
                open_part(*arguments)
            figures["page"] = name
            if _get_cpu(figures) >= _get_cpu(slowest.get(part)):
                slowest[part] = figures
    yield from slowest.values()


def _get_cpu(figures):
    return figures["odoo"] + figures["postgres"] if figures else 0


class Page:
    """A window action as the web client opens it.

    :param env: of a person with invoicing rights
    :param name: of the action
    """

    def __init__(self, env, name):
        action = env["ir.actions.act_window"]._for_xml_id(f"{ADDON}.{name}")
        context = safe_eval(action["context"], {"uid": env.uid})
        self.model = env[action["res_model"]].with_context(**context)
        search_view = action["search_view_id"]
        self._described = self.model.get_views(
            [*action["views"], (search_view[0] if search_view else False, "search")]
        )
        modes = [mode for _view, mode in action["views"]]
        self._modes = set(modes)
        self._list = next((mode for mode in modes if mode in ("list", "kanban")), "")
        self._search = self._arch("search")
        self._domain = safe_eval(action["domain"] or "[]", {"uid": env.uid})
        self._groupby = []
        for key in context:
            if key.startswith("search_default_"):
                self._apply(key.removeprefix("search_default_"))

    def get_parts(self):
        """Yield (what is opened, method that does it, its arguments)."""
        if self._list:
            yield "list", self.find, []
            if (field := self._search.find(".//field")) is not None:
                for words in WORDS:
                    yield "search", self.find, self._get_domain(field, words)
        if "form" in self._modes and (record := self._get_record()):
            yield "form", self.open_form, record
        if "pivot" in self._modes:
            yield "pivot", self.open_pivot

    def find(self, domain):
        """Ask for what the list shows of a domain."""
        spec = self._specify(self._arch(self._list), self.model._name)
        domain = [*self._domain, *domain]
        if self._groupby:
            self.model.web_read_group(
                domain,
                self._groupby[:1],
                ["__count"],
                limit=LIMIT,
                auto_unfold=True,
                unfold_read_specification=spec,
            )
        else:
            self.model.web_search_read(
                domain, spec, limit=LIMIT, count_limit=COUNT_LIMIT
            )

    def open_form(self, record):
        """Ask for what the form of a record shows."""
        record.web_read(self._specify(self._arch("form"), self.model._name))

    def open_pivot(self):
        """Ask for what the pivot table shows at first."""
        fields = self._arch("pivot").findall("field")

        def names(kind):
            return [
                ":".join(filter(None, (field.get("name"), field.get("interval"))))
                for field in fields
                if field.get("type") == kind
            ]

        rows, columns = self._groupby or names("row"), names("col")
        self.model.formatted_read_grouping_sets(
            self._domain,
            [[], rows[:1], columns[:1], [*rows[:1], *columns[:1]]],
            [
                "__count",
                *map(self._aggregate, names("measure")),
            ],
        )

    def _arch(self, mode):
        return etree.fromstring(self._described["views"][mode]["arch"])

    def _aggregate(self, name):
        return f"{name}:{self.model._fields[name].aggregator}"

    def _apply(self, name):
        """Take over a filter, as the context says."""
        node = self._search.find(f".//filter[@name='{name}']")
        if node is None:
            return
        if node.get("domain"):
            self._domain = [
                *self._domain,
                *safe_eval(node.get("domain"), {"uid": self.model.env.uid}),
            ]
        if group := safe_eval(node.get("context") or "{}").get("group_by"):
            self._groupby.append(group)

    def _get_domain(self, field, words):
        """Return the domain of what is entered in a search field."""
        if domain := field.get("filter_domain"):
            return safe_eval(domain, {"self": words})
        return [(field.get("name"), "ilike", words)]

    def _get_record(self):
        """Return a record of the last month that there is."""
        domain = self._domain
        if "date" in self.model._fields:
            domain = [*domain, ("date", "<=", TODAY)]
        return self.model.search(domain, limit=1)

    def _specify(self, arch, model):
        """Return which fields the client asks for, of a view."""
        fields = self.model.env[model]._fields
        spec = {}
        for node in arch.iter("field"):
            if any(parent.tag == "field" for parent in node.iterancestors()):
                continue
            field = fields[node.get("name")]
            spec[field.name] = {}
            if field.type == "many2one":
                spec[field.name] = {"fields": {"display_name": {}}}
            elif field.type in ("one2many", "many2many"):
                inner = next(
                    (each for each in node if each.tag in ("list", "kanban")), None
                )
                spec[field.name] = {
                    "fields": {}
                    if inner is None
                    else self._specify_inner(inner, field.comodel_name),
                    "limit": 40,
                }
        return spec

    def _specify_inner(self, arch, model):
        return self._specify(etree.fromstring(etree.tostring(arch)), model)
