"""The papers that a docstring cites, found in the text as people write it, and given as BibTeX.

``Least squares (Mao et al. 2017, LSGAN, arXiv:1611.04076, equation 2): ...`` cites one paper. Its title and all
its authors come from papers.bib where the paper is in it; otherwise no title is made up.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

_NAME = r"\b(?:(?:[Vv]an|[Vv]on|[Dd]e|del|[Dd]en|der|[Dd]i|[Ll]a|[Ll]e|ter) )*[A-ZÀ-ÖØ-Þ][\w'’-]+"
_HEAD = re.compile(
    rf"(?P<authors>{_NAME} et al\.|{_NAME}(?:(?:, | & | and |, and ){_NAME})*),? \(?(?P<year>[12]\d{{3}})\b"
)
_REST = re.compile(r"(?:[^();]|\([^()]*\)){0,200}")
_ARXIV = re.compile(r"arXiv:\s?(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})", re.IGNORECASE)
_DOI = re.compile(r"doi:\s?(10\.\d{4,9}/(?:[^\s();,]|\([^\s()]*\))*[^\s();,.])", re.IGNORECASE)
#: A place within a paper, or a clause of the docstring itself: nothing that helps to find the paper.
_PLACE = re.compile(
    r"^(arXiv|doi):|\b(equations?|eqs?\.|sections?|algorithms?|tables?|figures?|appendix|theorems?|propositions?|lemmas?"
    r"|corollary|definitions?|pages?|footnote|with|after|as)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Citation:
    """A paper as a docstring cites it."""

    authors: str
    year: int
    where: str = ""
    arxiv: str = ""
    doi: str = ""

    @property
    def label(self) -> str:
        """The authors and the year: ``Goodfellow et al. 2014``."""
        return f"{self.authors} {self.year}" if self.authors else self.identity

    @property
    def short(self) -> str:
        """The first author and the year: ``Goodfellow 2014``."""
        return f"{self.names[0]} {self.year}" if self.authors else self.identity

    @property
    def identity(self) -> str:
        """``arXiv:1406.2661``, else ``doi:10...``, else nothing."""
        return f"arXiv:{self.arxiv}" if self.arxiv else f"doi:{self.doi}" if self.doi else ""

    @property
    def full(self) -> str:
        """The authors, the year and the number: ``Goodfellow et al. 2014, arXiv:1406.2661``."""
        return f"{self.label}, {self.identity}" if self.authors and self.identity else self.label

    @property
    def url(self) -> str:
        """The address of the paper, or nothing."""
        if self.arxiv:
            return f"https://arxiv.org/abs/{self.arxiv}"
        return f"https://doi.org/{self.doi}" if self.doi else ""

    @property
    def names(self) -> list[str]:
        """The authors that the citation names; ``et al.`` is left out."""
        return re.split(r", and |, | & | and ", self.authors.removesuffix(" et al."))

    @property
    def key(self) -> str:
        """A BibTeX key: the first author and the year, in plain letters."""
        surname = _plain(self.names[0])
        return f"{surname}{self.year}" if surname else re.sub(r"\W", "", self.arxiv or self.doi)


def _plain(name: str) -> str:
    """A surname in small letters from a to z, whether it was written in Unicode or for LaTeX."""
    return re.sub(r"[^a-z]", "", unicodedata.normalize("NFKD", name.lower().replace("ø", "o").replace("ł", "l")))


def find(text: str) -> tuple[Citation, ...]:
    """Every paper that ``text`` cites, in order, each once.

    A citation is an author and a year with an arXiv or DOI number, or in parentheses, or on a line ``Source: ...``; an
    arXiv number alone is one, too. A paper that is cited twice, the second time without its number, counts once.
    """
    found: list[Citation] = []
    for citation in _all(text):
        twins = [one for one in found if _same(one, citation)]
        if not twins:
            # The same paper may be cited before, without its number.
            bare = [one for one in found if not one.identity and one.key == citation.key]
            if bare:
                found[found.index(bare[0])] = citation
            else:
                found.append(citation)
    return tuple(found)


def _same(one: Citation, other: Citation) -> bool:
    if (one.arxiv and one.arxiv == other.arxiv) or (one.doi and one.doi.lower() == other.doi.lower()):
        return True
    return not other.identity and one.key == other.key


def _all(text: str) -> Iterator[Citation]:
    heads = [*_HEAD.finditer(text), None]
    numbers_used = 0
    for head, following in pairwise(heads):
        assert head  # only the last is None
        yield from _bare(text, numbers_used, head.start())
        limit = following.start() if following else len(text)
        rest = _REST.match(text, head.end(), limit)
        assert rest  # it may be empty
        inside = _parenthesised(text, head.start())
        cited = rest[0] if inside else re.split(r"\.\s|:\s|\n\n|\n(?=[A-Z]\w+: )", rest[0])[0]
        numbers_used = head.end() + len(cited)
        arxiv, doi = _ARXIV.search(cited), _DOI.search(cited)
        if not (arxiv or doi or inside or _sourced(text, head.start())):
            continue
        parts = [" ".join(part.split()).rstrip(".") for part in cited.split(",")]
        kept = [part for part in parts if part and not _PLACE.search(part)]
        yield Citation(
            authors=" ".join(head["authors"].split()),
            year=int(head["year"]),
            where=", ".join(kept),
            arxiv=arxiv[1] if arxiv else "",
            doi=doi[1] if doi else "",
        )
    yield from _bare(text, numbers_used, len(text))


def _bare(text: str, begin: int, end: int) -> Iterator[Citation]:
    """Numbers without an author before them; the year is part of an arXiv number."""
    for number in _ARXIV.finditer(text, begin, end):
        digits = re.sub(r"^.*/", "", number[1])
        century = 1900 if digits[0] == "9" and "/" in number[1] else 2000
        yield Citation("", century + int(digits[:2]), arxiv=number[1])


def _parenthesised(text: str, position: int) -> bool:
    before = text[:position]
    return before.rfind("(") > before.rfind(")")


def _sourced(text: str, position: int) -> bool:
    return text[text.rfind("\n", 0, position) + 1 :].startswith("Source: ")


def clause(line: str) -> str:
    """The first line of a docstring without its citations in parentheses and its full stop."""
    for group in re.finditer(r"\s*\((?:[^()]|\([^()]*\))*\)", line):
        if find(group[0]):
            line = line.replace(group[0], "", 1)
    line = re.sub(r"[;,]? (no citation|\(no citation\))\W*$", "", line)
    return line.replace("``", "").strip().rstrip(".:").rstrip()


@cache
def papers() -> Mapping[str, str]:
    """The entries of papers.bib by arXiv number, by DOI (in small letters), and by key."""
    text = (Path(__file__).parent / "papers.bib").read_text(encoding="utf-8")
    known: dict[str, str] = {}
    for entry in re.findall(r"^@\w+\{.*?^\}$", text, re.MULTILINE | re.DOTALL):
        for name in re.findall(r"^@\w+\{(.*?),|^  (?:eprint|doi) = \{(.*?)\}", entry, re.MULTILINE):
            known["".join(name).lower()] = entry
    return known


def bibtex(citations: Iterable[tuple[str, Citation]]) -> str:
    """BibTeX entries, one a paper, each after a comment that names the plugins that cite it.

    ``citations``: pairs (name of a plugin, citation). Where a paper's title is not known its number is in the title's
    place; a paper without title and number is a comment alone.
    """
    pairs = list(citations)
    numbered = {citation.key: citation.identity.lower() for _, citation in pairs if citation.identity}
    cited: dict[str, tuple[Citation, list[str]]] = {}
    for who, citation in sorted(pairs, key=lambda pair: not pair[1].identity):
        name = _known(citation) or citation.identity.lower() or numbered.get(citation.key, citation.key)
        cited.setdefault(name, (citation, []))[1].append(who)
    keys: set[str] = set()
    entries = []
    for citation, whose in sorted(cited.values(), key=lambda pair: (pair[0].key, pair[0].identity)):
        who = ", ".join(dict.fromkeys(whose))
        if not (_known(citation) or citation.identity):
            where = f", {citation.where}" if citation.where else ""
            entries.append(f"% {who}\n% {citation.label}{where}: its title is not known\n")
            continue
        entry = _known(citation) or _made(citation, citation.key)
        key = entry[entry.index("{") + 1 : entry.index(",")]
        spare = (key + letter for letter in ("", *"bcdefghijklmnopqrstuvwxyz"))
        own = next(one for one in spare if one not in keys)
        keys.add(own)
        entries.append(f"% {who}\n{entry.replace(f'{{{key},', f'{{{own},', 1)}\n")
    return "\n".join(entries)


def _known(citation: Citation) -> str | None:
    """The entry of papers.bib; found by author and year only if the citation has no number and all authors match."""
    if citation.identity:
        return papers().get((citation.arxiv or citation.doi).lower())
    entry = papers().get(citation.key)
    return entry if entry and _fits(citation, entry) else None


def _fits(citation: Citation, entry: str) -> bool:
    found = re.search(r"^  author = \{(.*)\},$", entry, re.MULTILINE)
    surnames = [_plain(author.partition(",")[0]) for author in found[1].split(" and ")] if found else []
    cited = [_plain(name) for name in citation.names]
    several = len(surnames) > 2 or "others" in surnames
    return cited == (surnames[:1] if citation.authors.endswith(" et al.") and several else surnames)


def _made(citation: Citation, key: str) -> str:
    """An entry with what the docstring contains, and no more."""
    others = ["others"] if citation.authors.endswith(" et al.") else []
    fields = {
        "author": " and ".join([*citation.names, *others]),
        "title": citation.identity,
        "year": str(citation.year),
        "eprint": citation.arxiv,
        "archivePrefix": "arXiv" if citation.arxiv else "",
        "doi": citation.doi,
        "note": re.sub(r"([&%#_$])", r"\\\1", citation.where),
    }
    lines = [f"  {name} = {{{value}}},\n" for name, value in fields.items() if value]
    return f"@misc{{{key},\n{''.join(lines)}}}"
