"""What authors let others do with their posts: the owner's wishes, and those of others.

Source: FEP-044f; GoToSocial's interaction policies.
"""

from typing import Literal

from microfedi.federation.context import Context
from microfedi.protocol import vocab
from microfedi.protocol.vocab import PUBLIC, Policy, Rule, Visibility
from microfedi.storage import followers, following
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.notes import Note

Answer = Literal["yes", "ask", "no"]


def own_policy(ctx: Context, visibility: Visibility) -> Policy:
    """Return what the owner lets others do with a new post.

    A post that is not open can be quoted by nobody. An empty list would mean "nothing said" to
    whoever reads JSON-LD, so nobody is the owner alone.
    """
    owner = ctx.owner
    nobody = Rule(automatic=(owner.uri,))
    followed_by = Rule(automatic=(owner.addresses.followers,))
    quote = {
        "anyone": Rule(automatic=(PUBLIC,)),
        "followers": followed_by,
        "ask": Rule(automatic=(owner.uri,), manual=(PUBLIC,)),
        "nobody": nobody,
    }[owner.quote_policy]
    reply = {"anyone": None, "followers": followed_by, "mentioned": nobody}[owner.reply_policy]
    return Policy(can_quote=quote if visibility.is_open else nobody, can_reply=reply)


def may_quote(ctx: Context, reader: Reader, note: Note, sender: Actor) -> Answer:
    """Return whether somebody may quote a post of the owner's."""
    policy = note.policy or own_policy(ctx, note.visibility)
    return _of_ours(ctx, reader, policy.can_quote or Rule((PUBLIC,)), sender)


def may_reply(ctx: Context, reader: Reader, note: Note, sender: Actor) -> bool:
    """Return whether somebody may answer a post of the owner's. Who is mentioned in it always may.

    What is not said is allowed.
    """
    rule = None if note.policy is None else note.policy.can_reply
    if rule is None or sender.uri in note.to or sender.uri in note.cc:
        return True
    return _of_ours(ctx, reader, rule, sender) == "yes"


def asks_us(ctx: Context, reader: Reader, rule: Rule | None, note: Note, author: Actor) -> Answer:
    """Return whether the owner may like, answer or boost a post of `author`'s that has this rule.

    What is not said is allowed, and whoever a post is addressed to may do all of it.
    """
    if rule is None or ctx.owner.uri in (*note.to, *note.cc):
        return "yes"
    return lets_us(ctx, reader, rule, author)


def lets_us(ctx: Context, reader: Reader, rule: Rule, author: Actor) -> Answer:
    """Return whether a rule of `author`'s names the owner.

    Followers and followed can be named as collections; we know our own side of both.
    """
    owner = ctx.owner
    if author.id == owner.actor_id:
        return "yes"
    ours = {PUBLIC, owner.uri}
    mine = following.by_actor(reader, author.id)
    if mine is not None and mine.state == "accepted" and author.followers_uri is not None:
        ours.add(author.followers_uri)
    theirs = followers.by_actor(reader, author.id)
    if theirs is not None and theirs.state == "accepted":
        ours.add(f"{author.uri}/following")
    if not ours.isdisjoint(rule.automatic):
        return "yes"
    return "ask" if not ours.isdisjoint(rule.manual) else "no"


def _of_ours(ctx: Context, reader: Reader, rule: Rule, sender: Actor) -> Answer:
    named = {PUBLIC, sender.uri}
    follower = followers.by_actor(reader, sender.id)
    if follower is not None and follower.state == "accepted":
        named.add(ctx.owner.addresses.followers)
    if not named.isdisjoint(rule.automatic):
        return "yes"
    return "ask" if not named.isdisjoint(rule.manual) else "no"


def is_stamp_for(
    stamp: vocab.Stamp, *, kind: str, note_uri: str, target_uri: str, author_uri: str
) -> bool:
    """Return whether a stamp is the one that says yes to exactly this.

    Source: FEP-044f; security catalogue S-055.
    """
    return (stamp.type, stamp.interacting, stamp.target, stamp.attributed_to) == (
        kind,
        note_uri,
        target_uri,
        author_uri,
    )
