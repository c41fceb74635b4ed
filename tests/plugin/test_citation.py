"""Citations in docstrings, and the BibTeX made of them."""

from __future__ import annotations

import re

import pytest

from ganbench.plugin.citation import Citation, bibtex, clause, find, papers


def entries(text):
    """The entries of a BibTeX text, by key, each a mapping; fails on anything but entries and comments."""
    found = {}
    pattern = r"@(\w+)\{([a-z]+[a-z0-9]*),\n((?:  \w+ = \{.*\},\n)+)\}"
    for _, key, fields in re.findall(pattern, text):
        assert key not in found
        found[key] = dict(re.findall(r"  (\w+) = \{(.*)\},\n", fields))
        for value in found[key].values():
            assert value.count("{") == value.count("}")
    assert re.sub(r"%.*\n", "", re.sub(pattern, "", text)).strip() == ""
    return found


@pytest.mark.parametrize(
    ("line", "full", "what"),
    [
        (
            "Minimax (Goodfellow et al. 2014, arXiv:1406.2661, equation 1): both share V(D, G).",
            "Goodfellow et al. 2014, arXiv:1406.2661",
            "Minimax: both share V(D, G)",
        ),
        ("A grid (PacGAN: Lin et al. 2018, arXiv:1712.04086).", "Lin et al. 2018, arXiv:1712.04086", "A grid"),
        ("KL (Kullback & Leibler 1951, doi:10.1214/aoms).", "Kullback & Leibler 1951, doi:10.1214/aoms", "KL"),
        ("A fit (Dempster, Laird & Rubin 1977, JRSS B 39, 1-38).", "Dempster, Laird & Rubin 1977", "A fit"),
        ("Noise (Sønderby et al. 2016, arXiv:1610.04490)", "Sønderby et al. 2016, arXiv:1610.04490", "Noise"),
        ("Modes (after De Meulemeester et al. 2021)", "De Meulemeester et al. 2021", "Modes"),
        ("Balls (Polyak 1964, doi:10.1016/0041(64)90137-5).", "Polyak 1964, doi:10.1016/0041(64)90137-5", "Balls"),
        ("Old (Hand 1998, arXiv:math/9801001): new.", "Hand 1998, arXiv:math/9801001", "Old: new"),
        ("A number alone (arXiv:2302.14320).", "arXiv:2302.14320", "A number alone"),
    ],
)  # fmt: skip
def test_a_citation_is_found_as_people_write_it(line, full, what):
    (citation,) = find(line)
    assert citation.full == full
    assert clause(line) == what


@pytest.mark.parametrize(
    "line",
    [
        "Images of 2014, as in Table 1 of January 2015, 28 x 28 (of 10 classes).",
        "What a step costs; no citation.",
        "V(D, G) of the GAN paper",
        "",
    ],
)
def test_what_is_no_citation_is_none(line):
    assert find(line) == ()
    assert line.startswith(clause(line))


def test_a_paper_is_cited_once_and_two_are_two():
    doc = (
        "SGD (Polyak 1964; Sutskever et al. 2013).\n\nAs (Polyak 1964) and Lin et al. 2018, arXiv:1712.04086, have\nit."
    )
    assert [one.short for one in find(doc)] == ["Polyak 1964", "Sutskever 2013", "Lin 2018"]
    numbered = "First (Metz et al. 2017), later (Metz et al. 2017, arXiv:1611.02163)."
    assert [one.arxiv for one in find(numbered)] == ["1611.02163"]
    # The line of a metric's docstring that says where it is from.
    assert [one.label for one in find("M.\n\nUnit: nats.\nSource: Gretton et al. 2012, JMLR 13.\nCost: none.")] == [
        "Gretton et al. 2012"
    ]


def test_a_known_paper_has_its_title_and_authors_and_an_unknown_one_only_what_was_said():
    known = Citation("Goodfellow et al.", 2014, arxiv="1406.2661")
    unknown = Citation("Smith & Møller", 2031, "Proc. of A & B", doi="10.1000/x_y")
    made = entries(bibtex([("loss a", known), ("loss b", unknown), ("metric c", known)]))
    assert made["goodfellow2014"]["title"] == "Generative Adversarial Networks"
    assert made["goodfellow2014"]["author"].count(" and ") == 7
    assert made["smith2031"] == {
        "author": "Smith and Møller",
        "title": "doi:10.1000/x_y",
        "year": "2031",
        "doi": "10.1000/x_y",
        "note": r"Proc. of A \& B",
    }
    assert "% loss a, metric c\n@misc{goodfellow2014," in bibtex([("loss a", known), ("metric c", known)])


def test_an_author_and_a_year_alone_stand_for_a_known_paper_only_where_all_authors_fit():
    def title(authors, year):
        return next((entry["title"] for entry in entries(bibtex([("x", Citation(authors, year))])).values()), None)

    assert title("Dempster, Laird & Rubin", 1977)
    assert title("Goodfellow et al.", 2014)
    assert title("Goodfellow", 2014) is None
    assert title("Dempster & Laird", 1977) is None


def test_papers_of_one_author_and_year_have_keys_of_their_own():
    three = [("x", Citation("New et al.", 2030, arxiv=f"3001.0000{k}")) for k in range(3)]
    assert set(entries(bibtex(three))) == {"new2030", "new2030b", "new2030c"}


def test_the_known_papers_are_valid_bibtex_and_name_author_title_and_year():
    known = entries("\n".join(dict.fromkeys(papers().values())))
    assert len(known) > 60
    for key, fields in known.items():
        assert {"author", "title", "year"} <= set(fields), key
        assert fields["year"] in key
        assert re.fullmatch(r"\d{4}\.\d{4,5}|", fields.get("eprint", "")), key


def test_no_entry_is_without_a_title():
    bare, numbered = Citation("Nobody et al.", 2030, "J. of Z 3"), Citation("Someone", 2031, arxiv="3101.00001")
    text = bibtex([("metric m", bare), ("loss a", numbered)])
    assert text.startswith("% metric m\n% Nobody et al. 2030, J. of Z 3: its title is not known\n\n")
    assert [entry["title"] for entry in entries(text).values()] == ["arXiv:3101.00001"]


def test_every_entry_of_what_is_shipped_has_a_title(gb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert all("title" in entry for entry in entries(gb("list", "--bibtex")[1]).values())
