"""What may arrive, and what is done about it: the whole list."""

from collections.abc import Mapping

from microfedi.federation.inbox import (
    accept,
    announce,
    block,
    create,
    delete,
    follow,
    like,
    reject,
    undo,
    update,
)
from microfedi.federation.inbox.handling import Handler
from microfedi.protocol import vocab

HANDLERS: Mapping[type[vocab.Activity], Handler] = {
    vocab.Accept: Handler(accept.apply, wakes=("jobs",)),
    vocab.Announce: Handler(announce.apply, needs=announce.needs, fetch=announce.fetch),
    vocab.Block: Handler(block.apply),
    vocab.Create: Handler(create.apply, needs=create.needs, fetch=create.fetch, wakes=("jobs",)),
    vocab.Delete: Handler(delete.apply),
    vocab.Follow: Handler(follow.apply, wakes=("deliveries",)),
    vocab.Like: Handler(like.apply),
    vocab.Reject: Handler(reject.apply),
    vocab.Undo: Handler(undo.apply),
    vocab.Update: Handler(update.apply, needs=update.needs, fetch=update.fetch, wakes=("jobs",)),
}
