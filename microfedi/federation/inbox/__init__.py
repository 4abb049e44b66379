"""What may arrive, and what is done about it: the whole list."""

from collections.abc import Mapping

from microfedi.federation.inbox import (
    accept,
    announce,
    block,
    create,
    delete,
    flag,
    follow,
    like,
    listing,
    move,
    reject,
    request,
    undo,
    update,
)
from microfedi.federation.inbox.handling import Handler
from microfedi.protocol import vocab

HANDLERS: Mapping[type[vocab.Activity], Handler] = {
    vocab.Accept: Handler(accept.apply, wakes=("jobs", "deliveries")),
    vocab.Add: Handler(listing.add, needs=listing.needs, fetch=listing.fetch),
    vocab.Announce: Handler(
        announce.apply, needs=announce.needs, fetch=announce.fetch, wakes=("jobs",)
    ),
    vocab.Block: Handler(block.apply),
    vocab.Create: Handler(create.apply, needs=create.needs, fetch=create.fetch, wakes=("jobs",)),
    vocab.Delete: Handler(delete.apply, wakes=("deliveries",)),
    vocab.FeatureRequest: Handler(request.apply_feature, wakes=("deliveries",)),
    vocab.Flag: Handler(flag.apply),
    vocab.Follow: Handler(follow.apply, wakes=("deliveries",)),
    vocab.Like: Handler(like.apply),
    vocab.Move: Handler(
        move.apply, needs=move.needs, fetch=move.fetch, wakes=("deliveries", "jobs")
    ),
    vocab.QuoteRequest: Handler(
        request.apply, needs=request.needs, fetch=request.fetch, wakes=("deliveries",)
    ),
    vocab.Reject: Handler(reject.apply, wakes=("deliveries",)),
    vocab.Remove: Handler(listing.remove),
    vocab.ReplyRequest: Handler(
        request.apply, needs=request.needs, fetch=request.fetch, wakes=("deliveries",)
    ),
    vocab.Undo: Handler(undo.apply),
    vocab.Update: Handler(update.apply, needs=update.needs, fetch=update.fetch, wakes=("jobs",)),
}
