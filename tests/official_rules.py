"""The official rules of e-invoices: the schemas of UBL 2.1, the Schematron of EN 16931,
and those of Peppol BIS Billing 3 that a package on PyPI has. `make test` runs what
needs them where they are installed."""

import resource
from functools import cache
from importlib.resources import files
from importlib.util import find_spec

from lxml import etree

PACKAGES = ("peppol", "mcp_einvoicing_be", "saxonche", "einvoice")
SCHEMATRON = "{http://purl.oclc.org/dsdl/schematron}"
XSLT = "{http://www.w3.org/1999/XSL/Transform}"
ARE_INSTALLED = all(map(find_spec, PACKAGES))


def find_violations(content):
    """:param content: bytes of an e-invoice
    :return: set of the fatal rules that it breaks, each with what it says
    """
    root = etree.fromstring(content)
    kind = etree.QName(root).localname
    schema = _get_schema(kind)
    schema.validate(root)
    errors = {f"XSD: {error.message}" for error in schema.error_log}
    return errors | _check_schematron(content) | _check_peppol(content)


@cache
def _get_schema(kind):
    path = files("peppol") / "schema" / "maindoc" / f"UBL-{kind}-2.1.xsd"
    return etree.XMLSchema(etree.parse(str(path)))


def _check_peppol(content):
    # The package reads by Python's own XML.
    from xml.etree import ElementTree

    from einvoice.rules_peppol import evaluate_ubl

    return {
        f"[{violation.rule_id}]-{violation.message}"
        for violation in evaluate_ubl(ElementTree.fromstring(content))
        if violation.severity == "fatal"
    }


# === SCHEMATRON === #


def _check_schematron(content):
    processor, rules = _get_rules()
    document = processor.parse_xml(xml_text=content.decode())
    found = etree.fromstring(rules.transform_to_string(xdm_node=document).encode())
    return {each.text for each in found if each.get("flag") == "fatal"}


@cache
def _get_rules():
    """:return: (what has to live as long as they do, the compiled rules)"""
    # It reserves more addresses than Odoo lets its servers have, and uses few of them.
    _soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    from saxonche import PySaxonProcessor

    # Its own import of the package's other modules isn't needed, nor what they need.
    (folder,) = find_spec("mcp_einvoicing_be").submodule_search_locations
    path = f"{folder}/specs/peppol_bis_3/CEN-EN16931-UBL.sch"
    stylesheet = _make_stylesheet(etree.parse(path).getroot())
    processor = PySaxonProcessor(license=False)
    compiler = processor.new_xslt30_processor()
    return processor, compiler.compile_stylesheet(stylesheet_text=stylesheet)


def _make_stylesheet(schema):
    """Of each pattern, the first rule counts that a node falls under: each is a mode,
    and its rules are templates by priority.

    :param schema: the element of a Schematron without variables, phases ignored
    :return: text of an XSLT that gives the violations of a document
    """
    namespaces = {
        each.get("prefix"): each.get("uri")
        for each in schema.iterfind(f"{SCHEMATRON}ns")
    }
    sheet = etree.Element(
        f"{XSLT}stylesheet",
        {"version": "2.0"},
        nsmap={"xsl": XSLT.strip("{}"), **namespaces},
    )
    start = etree.SubElement(sheet, f"{XSLT}template", match="/")
    found = etree.SubElement(start, "violations")
    for number, pattern in enumerate(schema.iterfind(f"{SCHEMATRON}pattern")):
        mode = f"pattern{number}"
        etree.SubElement(
            found, f"{XSLT}apply-templates", select="//* | //@*", mode=mode
        )
        etree.SubElement(
            sheet, f"{XSLT}template", match="* | @*", mode=mode, priority="0"
        )
        rules = pattern.findall(f"{SCHEMATRON}rule")
        for priority, rule in zip(range(len(rules), 0, -1), rules, strict=True):
            template = etree.SubElement(
                sheet,
                f"{XSLT}template",
                match=rule.get("context"),
                mode=mode,
                priority=str(priority),
            )
            for check in rule.iterfind(f"{SCHEMATRON}assert"):
                condition = etree.SubElement(
                    template, f"{XSLT}if", test=f"not({check.get('test')})"
                )
                violation = etree.SubElement(
                    condition, "violation", flag=check.get("flag")
                )
                violation.text = "".join(check.itertext())
    return etree.tostring(sheet, encoding="unicode")
