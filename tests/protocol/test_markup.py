"""The owner's Markdown."""

import pytest

from microfedi.errors import InvalidInput
from microfedi.protocol import markup

LINK = 'target="_blank" rel="nofollow noopener noreferrer"'
BOB = markup.MentionTarget(
    uri="https://b.example/users/1", url="https://b.example/@bob", handle="bob@b.example"
)
BOB_LINK = (
    '<span class="h-card" translate="no"><a href="https://b.example/@bob" class="u-url mention" '
    f"{LINK}>@<span>bob</span></a></span>"
)


def _html(source: str) -> str:
    return markup.to_html(
        source,
        mentions={"bob@b.example": BOB},
        tag_url=lambda word: f"https://me.example/tags/{word}",
    ).strip()


def _tag(word: str, shown: str) -> str:
    return (
        f'<a href="https://me.example/tags/{word}" class="mention hashtag" {LINK}>'
        f"#<span>{shown}</span></a>"
    )


def _short(scheme: str, rest: str) -> str:
    return (
        f'<a href="{scheme}{rest}" translate="no" {LINK}><span class="invisible">{scheme}</span>'
        f"<span>{rest}</span></a>"
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("one\ntwo\n\nthree", "<p>one<br>\ntwo</p>\n<p>three</p>"),
        ("*a* **b** ~~c~~ `d`", "<p><em>a</em> <strong>b</strong> <s>c</s> <code>d</code></p>"),
        ("# Title", "<p><strong>Title</strong></p>"),
        ("> quoted", "<blockquote>\n<p>quoted</p>\n</blockquote>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("```\n@bob@b.example #x\n```", "<pre><code>@bob@b.example #x\n</code></pre>"),
        ("<script>x()</script> &lt;", "<p>&lt;script&gt;x()&lt;/script&gt; &amp;lt;</p>"),
        ("    no code by indentation", "<p>no code by indentation</p>"),
        ("no rule\n---", "<p>no rule<br>\n---</p>"),
        ("![alt](https://a.example/x)", f'<p>!<a href="https://a.example/x" {LINK}>alt</a></p>'),
        ("[x](javascript:alert)", "<p>[x](javascript:alert)</p>"),
        (
            "[@bob@b.example #x](https://a.example)",
            f'<p><a href="https://a.example" {LINK}>@bob@b.example #x</a></p>',
        ),
        (
            "[https://a.example](https://b.example)",
            f'<p><a href="https://b.example" {LINK}>https://a.example</a></p>',
        ),
        ("Hi @Bob@B.example!", f"<p>Hi {BOB_LINK}!</p>"),
        ("@eve@c.example @bob", "<p>@eve@c.example @bob</p>"),
        ("`@bob@b.example`", "<p><code>@bob@b.example</code></p>"),
        ("x@bob@b.example \\@bob@b.example", "<p>x@bob@b.example @bob@b.example</p>"),
        ("@_bob_@c.example", "<p>@_bob_@c.example</p>"),
        (
            "#Fedi, **#été**",
            f"<p>{_tag('fedi', 'Fedi')}, <strong>{_tag('été', 'été')}</strong></p>",
        ),
        ("#हिन्दी", f"<p>{_tag('हिन्दी', 'हिन्दी')}</p>"),
        ("#1 a#b \\#c ##d", "<p>#1 a#b #c ##d</p>"),
        ("(https://a.example/x_(y)_z).", f"<p>({_short('https://', 'a.example/x_(y)_z')}).</p>"),
        ("http://www.a.example", f"<p>{_short('http://www.', 'a.example')}</p>"),
        (
            "https://a.example/@bob@b.example#x",
            f"<p>{_short('https://', 'a.example/@bob@b.example#x')}</p>",
        ),
        (
            "www.a.example a@b.example ftp://a.example https://",
            "<p>www.a.example a@b.example ftp://a.example https://</p>",
        ),
        ("\ud800", "<p>?</p>"),
    ],
)
def test_markdown_as_html(source: str, expected: str) -> None:
    assert _html(source) == expected


def test_a_long_address_is_shown_short_and_copied_whole() -> None:
    assert _html("https://example.org/a/very/long/path/indeed") == (
        f'<p><a href="https://example.org/a/very/long/path/indeed" translate="no" {LINK}>'
        '<span class="invisible">https://</span>'
        '<span class="ellipsis">example.org/a/very/long/path/i</span>'
        '<span class="invisible">ndeed</span></a></p>'
    )


def test_mentions_are_listed_once_and_in_order() -> None:
    source = (
        "@b@y.example @a@x.example:8000 @B@Y.example `@c@x.example` https://x.example/@d@y.example"
    )

    assert markup.mentions_in(source) == ["b@y.example", "a@x.example:8000"]


def test_mentions_have_a_limit() -> None:
    source = " ".join(f"@u{number}@x.example" for number in range(200))

    assert len(markup.mentions_in(source)) == markup.MAX_MENTIONS


def test_hashtags_are_listed_once_and_in_lower_case() -> None:
    assert markup.hashtags_in("#B #a #b [#c](https://x.example) https://x.example/#d") == ["b", "a"]


def test_a_text_that_is_too_long_is_the_owners_to_shorten() -> None:
    with pytest.raises(InvalidInput) as caught:
        _html("a" * 10_001)

    assert caught.value.field == "text"
