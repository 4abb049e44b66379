"""Other people's HTML, names and emojis."""

import pytest

from microfedi.protocol import sanitize

LINK = 'target="_blank" rel="nofollow noopener noreferrer"'


@pytest.mark.parametrize(
    ("untrusted", "expected"),
    [
        ("<p>plain</p>", "<p>plain</p>"),
        ("no tags & < 3", "no tags &amp; &lt; 3"),
        ("<h2 class=x>Title</h2><p>text</p>", "<p><strong>Title</strong></p><p>text</p>"),
        ("<div>one</div><div>two</div>", " one  two "),
        ("<p>a<img src='https://a.example/i.png' alt='x'>b</p>", "<p>ab</p>"),
        (
            "<ol start=3 reversed><li value=7>x</ol>",
            '<ol start="3" reversed=""><li value="7">x</li></ol>',
        ),
        ('<p lang="de" dir="rtl" id="top" style="top:0">x</p>', '<p lang="de">x</p>'),
        ("<ruby>漢<rt>kan</rt></ruby>", "<ruby>漢<rt>kan</rt></ruby>"),
        (
            '<span class="invisible modal h-card">x</span>',
            '<span class="invisible h-card">x</span>',
        ),
        ('<p class="quote-inline">RE</p>', '<p class="quote-inline">RE</p>'),
        (
            '<span translate="no">x</span><span translate="yes">y</span>',
            '<span translate="no">x</span><span>y</span>',
        ),
        ("<p>open <b>bold", "<p>open <b>bold</b></p>"),
        ("a\x00b&#1;c\u202ed\ufffe", "abcd"),
        ("lone \ud800 surrogate", "lone ? surrogate"),
    ],
)
def test_what_is_kept_of_html(untrusted: str, expected: str) -> None:
    assert sanitize.html(untrusted) == expected


def test_a_link_is_marked_as_a_strangers() -> None:
    cleaned = sanitize.html('<a href="https://a.example/?a=1&b=2" rel="me" onclick="x()">x</a>')

    assert cleaned == f'<a href="https://a.example/?a=1&amp;b=2" {LINK}>x</a>'


def test_a_known_mention_shows_the_handle_that_we_know() -> None:
    cleaned = sanitize.html(
        '<span class="h-card"><a href="https://b.example/@bob" class="u-url mention">@a</a></span>',
        mentions={"https://b.example/@bob": "bob@b.example"},
    )

    assert cleaned == (
        '<span class="h-card"><a href="https://b.example/@bob" class="u-url mention" '
        f"{LINK}>@<span>bob@b.example</span></a></span>"
    )


def test_a_hashtag_leads_to_our_own_page() -> None:
    cleaned = sanitize.html(
        '<a href="https://evil.example/" class="mention hashtag" rel="tag">#<span>Fedi</span></a>',
        tag_url=lambda word: f"/tags/{word}",
    )

    assert (
        cleaned == '<a href="/tags/fedi" class="mention hashtag" rel="tag">#<span>Fedi</span></a>'
    )


def test_a_hashtag_whose_label_is_none_is_a_link() -> None:
    cleaned = sanitize.html(
        '<a href="https://evil.example/" class="hashtag">#../../login</a>',
        tag_url=lambda word: f"/tags/{word}",
    )

    assert cleaned == f'<a href="https://evil.example/" {LINK}>#../../login</a>'


def test_too_many_tags_become_plain_paragraphs() -> None:
    cleaned = sanitize.html("<p>one</p>" + "<b>" * (sanitize.MAX_TAGS + 1) + "<two> &lt;i&gt;")

    assert cleaned == "<p>one &lt;i&gt;</p>"


def test_too_long_html_is_cut() -> None:
    assert len(sanitize.html("a" * 500_000)) == sanitize.MAX_HTML_CHARS


def test_attributes_cannot_multiply_through_paragraphs() -> None:
    opened = "".join(f"<b id={number}>" for number in range(1000))

    cleaned = sanitize.html(f"<p>{opened}</p>" + "<p>x</p>" * 900)

    assert len(cleaned) < 100_000


@pytest.mark.parametrize(
    ("untrusted", "expected"),
    [
        ("<p>one</p><p>two<br>three</p>", "one\ntwo\nthree"),
        ("1 &lt; 2 &amp;amp; <script>x()</script>", "1 < 2 &amp;"),
        ('<a href="x"><span class="invisible">https://</span>a.example</a>', "https://a.example"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("&#x202e;evil", "evil"),
        ("", ""),
    ],
)
def test_the_text_of_html(untrusted: str, expected: str) -> None:
    assert sanitize.text(untrusted) == expected


def test_the_text_is_cut() -> None:
    assert sanitize.text("<p>abc def</p>", limit=5) == "abc d"


@pytest.mark.parametrize(
    ("untrusted", "expected"),
    [
        ("  Alice\t\n B ", "Alice B"),
        ("a\u202eb\u2066c\u200bd\ufeff", "abcd"),
        ("a\x00b\x1bc\x85d", "abcd"),
        ("\ud800x", "x"),
        ("👩\u200d👧", "👩\u200d👧"),
        ("a\u200d\u200d\u200d\u200db", "a\u200db"),
        ("a" + "\u0301" * 300 + "b", "a" + "\u0301" * 6 + "b"),
        ("ก" + "\u0e47" * 300, "ก" + "\u0e47" * 6),
        ("<b>not html</b>", "<b>not html</b>"),
    ],
)
def test_a_plain_field_is_one_harmless_line(untrusted: str, expected: str) -> None:
    assert sanitize.plain(untrusted, limit=100) == expected


def test_a_plain_field_is_cut() -> None:
    assert sanitize.plain("ab " * 1_000_000, limit=6) == "ab ab"


@pytest.mark.parametrize("name", ["alice", "a", "_x_", "alice.b-c", "A1", "a" * 128])
def test_usernames(name: str) -> None:
    assert sanitize.username(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "a.", "-a", "a b", "a@b", "a/b", "ä", "a\n", "٣", "a" * 129, "a\u202e"]
)
def test_what_is_no_username(name: str) -> None:
    assert sanitize.username(name) is None


def test_emojis_are_drawn_in_text_alone() -> None:
    safe = sanitize.html(
        '<p>:cat: a:cat:b <a href="https://a.example/:cat:">:cat:</a><code>:cat:</code>'
        "</p><pre><b>:cat:</b></pre><p>:dog:</p>"
    )
    picture = '<img class="emoji" src="/media/c.png" alt=":cat:" title=":cat:" loading="lazy">'

    drawn = sanitize.with_emojis(safe, {"cat": "/media/c.png"})

    assert drawn == (
        f'<p>{picture} a:cat:b <a href="https://a.example/:cat:" {LINK}>{picture}</a>'
        "<code>:cat:</code></p><pre><b>:cat:</b></pre><p>:dog:</p>"
    )


def test_a_flood_of_emojis_stays_text() -> None:
    drawn = sanitize.with_emojis(":cat:" * 20_000, {"cat": "/c"})

    assert drawn.count("<img") == sanitize.MAX_EMOJIS


def test_what_was_cleaned_can_be_cleaned_again() -> None:
    once = sanitize.html("<p>1 &lt; 2 <b>x</b></p> and more")

    assert sanitize.html(once) == once
    assert sanitize.text(once) == "1 < 2 x\nand more"


@pytest.mark.parametrize(
    ("label", "href"),
    [
        ("https://bank.example/login", "https://evil.example/"),
        ("bank.example", "https://evil.example/"),
        ("bank.example/login?x", "https://evil.example/"),
        ("www.bank.example", "https://evil.example/"),
        ("Log in: https://bank.example", "https://evil.example/"),
        ("@help@bank.example", "https://evil.example/@help"),
        ("<b>bank</b>.example", "https://evil.example/"),
        ("BANK.example", "https://evil.example/"),
        ("bank.example", "https://bank.example.evil.example/"),
        ("bank.example", "https://bank.example@evil.example/"),
        ("bank.example", "https://evil.example\\@bank.example/"),
        (
            '<span class="invisible">https://evil.example/</span>bank.example',
            "https://evil.example/",
        ),
        (
            '<span class="invisible">https://evil.example/?<span>x</span></span>bank.example',
            "https://evil.example/",
        ),
        ("https://evil.example and https://bank.example", "https://evil.example/"),
        ("bänk.example", "https://evil.example/"),
        ("bank\u200b.example", "https://evil.example/"),
        ("bank&#xFF0E;example", "https://evil.example/"),
        ("https://bank.example@evil.example/", "https://evil.example/"),
        ("https:\u2044\u2044bank.example", "https://evil.example/"),
        ('<span lang="invisible">bank.example</span>', "https://evil.example/"),
        ('<p class="invisible">evil.example and more</p>bank.example', "https://evil.example/"),
        ("<ruby>bank.example<rp> or so, it is</rp></ruby>", "https://evil.example/"),
        ("\U0001f512 bank.example \u2192", "https://evil.example/"),
        ("bank.example, really", "https://evil.example/"),
    ],
)
def test_a_link_that_names_another_place_says_where_it_leads(label: str, href: str) -> None:
    assert " (evil.example)</a>" in sanitize.html(f'<p><a href="{href}">{label}</a></p>').replace(
        "bank.example.evil", "evil"
    )


@pytest.mark.parametrize(
    ("label", "href"),
    [
        ("here", "https://a.example/"),
        ("https://a.example/1", "https://a.example/1"),
        ("a.example/1", "https://www.a.example/1"),
        ("www.a.example", "https://a.example/"),
        (
            '<span class="invisible">https://</span><span class="ellipsis">a.example/a-long</span>'
            '<span class="invisible">-way</span>',
            "https://a.example/a-long-way",
        ),
        ("@ann@a.example", "https://social.a.example/@ann"),
        ("@ann", "https://a.example/@ann"),
        ("über.example", "https://xn--ber-goa.example/"),
        ("3.14", "https://a.example/"),
        ("e.g. this", "https://a.example/"),
        ("what stands in the file README.md", "https://a.example/"),
        ("@ann\u2069", "https://a.example/@ann"),
    ],
)
def test_an_honest_link_stays_as_it_is(label: str, href: str) -> None:
    cleaned = sanitize.html(f'<p><a href="{href}">{label}</a></p>')
    assert str(cleaned).partition(">")[2].count("(") == 0
    assert sanitize.html(cleaned) == cleaned
