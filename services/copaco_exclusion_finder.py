from odoo import models
from odoo.fields import Domain
from odoo.tools import LazyTranslate

from ..const import get_side
from ..tools import are_apart, get_text_key

_lt = LazyTranslate(__name__)


class CopacoExclusionFinder(models.AbstractModel):
    """Searches, and never writes: what is excluded as the same charges as these lines
    of a document, which may not count any more (promise 2 in doc/how_it_works.rst)."""

    _name = "copaco.exclusion.finder"
    _description = "Copaco Exclusion Finder"

    def _get_warnings(self, version):
        """:param version: a `copaco.document.version`
        :return: list of messages: that a person excluded a charge which it lacks, on
            its document or on another one
        """
        document, lost = version.document_id, version._get_lost_lines()
        if not lost:
            return []
        finder = self.env["copaco.duplicate.finder"]
        warnings = []
        elsewhere = self._find_lines(document, lost - lost.filtered("is_excluded"))
        others = elsewhere.filtered(
            lambda line: line.is_excluded or line.document_id.excluded_by_id
        ).document_id
        if others:
            warnings.append(
                _lt(
                    "Charges that it lacks are excluded on %(documents)s: keep the old "
                    "version if they still have to be paid.",
                    documents=finder._enumerate_excluded(others, document),
                )
            )
        excluded = list(lost.filtered("is_excluded"))
        others = document.browse(
            pair.other.document_id.id
            for pair in finder._find_lines({document: excluded})[document]
        )
        if others:
            warnings.append(
                _lt(
                    "It lacks or changes lines that are excluded because the charges "
                    "are on %(documents)s: correct them there.",
                    documents=finder._enumerate(others, document),
                )
            )
        return warnings

    def _find_lines(self, document, lines, with_duplicates=False):
        """:param lines: of the document
        :param with_duplicates: also those of documents that wait as possible duplicates
        :return: the excluded lines of other documents that may be the same charges as
            these
        """
        if not lines:
            return lines
        by_hash = lines.filtered("row_hash").grouped("row_hash")
        by_service = lines.grouped(_get_service)
        is_excluded = document._get_excluded_domain()
        if with_duplicates:
            is_excluded |= Domain("state", "=", "held") & Domain(
                "hold_reason", "=", "possible_double"
            )
        is_same = lines._get_subscription_domain(lines)
        is_same &= Domain("extended_price", "in", lines.mapped("extended_price"))
        is_same |= Domain("row_hash", "in", list(by_hash))
        candidates = lines.search(
            Domain("document_id", "!=", document.id)
            & Domain("document_id.root_company_id", "=", document.root_company_id.id)
            & Domain("document_id.kind", "in", get_side(document.kind))
            & (
                Domain("is_excluded", "=", True)
                | Domain("document_id", "any", is_excluded)
            )
            & is_same
        )
        return candidates.filtered(
            lambda other: any(
                _may_be_same(line, other)
                for line in (
                    *by_hash.get(other.row_hash, ()),
                    *by_service.get(_get_service(other), ()),
                )
            )
        )


def _may_be_same(line, other):
    # Copaco promises no row hash that is the same at another endpoint.
    is_other_hash = (
        line.row_hash
        and other.row_hash
        and line.row_hash != other.row_hash
        and line.document_id.run_id.endpoint == other.document_id.run_id.endpoint
    )
    return not is_other_hash and not are_apart(line, other)


def _get_service(line):
    return (
        get_text_key(line.subscription_ref),
        get_text_key(line.description),
        line.extended_price,
    )
