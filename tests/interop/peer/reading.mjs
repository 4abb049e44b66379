// What Fedify understands of our documents, and what of them it loses.
import {
  Accept,
  Activity,
  Announce,
  Article,
  Create,
  Delete,
  Emoji,
  Hashtag,
  isActor,
  Mention,
  Note,
  Object as APObject,
  Question,
  QuoteAuthorization,
  Reject,
  ReplyAuthorization,
  Undo,
  Update,
} from "@fedify/vocab";
import jsonld from "@fedify/vocab-runtime/jsonld";

export const href = (url) => url?.href ?? null;
const address = (urlOrLink) => urlOrLink?.href?.href ?? href(urlOrLink);
const hrefs = (urls) => urls.map(href);
const string = (value) => (value == null ? null : String(value));
const CARRIERS = [Accept, Create, Delete, Reject, Undo, Update];

async function all(items) {
  const found = [];
  for await (const item of items) found.push(item);
  return found;
}

/** What Fedify understood of an object: its own reading, not the JSON that came. */
export async function described(object, ctx) {
  if (object == null) return null;
  const type = object.constructor.name;
  if (object instanceof Activity && !(object instanceof Question)) {
    let about = null;
    if (CARRIERS.some((carrier) => object instanceof carrier)) {
      about = await described(await object.getObject({ ...ctx, suppressError: true }), ctx);
    }
    return {
      type,
      id: href(object.id),
      actor: href(object.actorId),
      object: href(object.objectId),
      objects: hrefs(object.objectIds),
      target: href(object.targetId),
      instrument: href(object.instrumentId),
      result: href(object.resultId),
      content: string(object.content),
      to: hrefs(object.toIds),
      cc: hrefs(object.ccIds),
      about,
    };
  }
  if (isActor(object)) {
    return {
      type,
      id: href(object.id),
      preferredUsername: String(object.preferredUsername),
      name: String(object.name),
      summary: string(object.summary),
      url: address(object.url),
      inbox: href(object.inboxId),
      outbox: href(object.outboxId),
      followers: href(object.followersId),
      following: href(object.followingId),
      featured: href(object.featuredId),
      sharedInbox: href(object.endpoints?.sharedInbox),
      approves: object.manuallyApprovesFollowers,
      discoverable: object.discoverable,
      indexable: object.indexable,
      aliases: hrefs(object.aliasIds),
      successor: href(object.successorId),
      publicKeys: (await all(object.getPublicKeys(ctx))).map((key) => href(key.id)),
      assertionMethods: (await all(object.getAssertionMethods(ctx))).map((key) => href(key.id)),
      attachments: (await all(object.getAttachments(ctx))).map((one) => String(one.name)),
    };
  }
  if (object instanceof Note || object instanceof Article || object instanceof Question) {
    const tags = await all(object.getTags(ctx));
    return {
      type,
      id: href(object.id),
      author: href(object.attributionId),
      name: string(object.name),
      content: String(object.content),
      summary: string(object.summary),
      source: string(object.source?.content),
      sensitive: object.sensitive,
      published: object.published?.toString() ?? null,
      updated: object.updated?.toString() ?? null,
      url: address(object.url),
      replyTo: href(object.replyTargetId),
      to: hrefs(object.toIds),
      cc: hrefs(object.ccIds),
      mentions: tags.filter((tag) => tag instanceof Mention).map((tag) => href(tag.href)),
      hashtags: tags.filter((tag) => tag instanceof Hashtag).map((tag) => String(tag.name)),
      emojis: tags.filter((tag) => tag instanceof Emoji).map((tag) => String(tag.name)),
      attachments: (await all(object.getAttachments(ctx))).map((one) => ({
        mediaType: one.mediaType ?? null,
        url: address(one.url),
        name: string(one.name),
      })),
      replies: href(object.repliesId),
      quote: href(object.quoteId),
      quoteUrl: href(object.quoteUrl),
      quoteAuthorization: href(object.quoteAuthorizationId),
      canQuote: object.interactionPolicy?.canQuote
        ? {
            automatic: hrefs(object.interactionPolicy.canQuote.automaticApprovals),
            manual: hrefs(object.interactionPolicy.canQuote.manualApprovals),
          }
        : null,
      poll: object instanceof Question ? await pollOf(object, ctx) : null,
    };
  }
  if (object instanceof QuoteAuthorization || object instanceof ReplyAuthorization) {
    return {
      type,
      id: href(object.id),
      author: href(object.attributionId),
      interactingObject: href(object.interactingObjectId),
      interactionTarget: href(object.interactionTargetId),
    };
  }
  return { type, id: href(object.id) };
}

async function pollOf(question, ctx) {
  const exclusive = await all(question.getExclusiveOptions(ctx));
  const inclusive = await all(question.getInclusiveOptions(ctx));
  const options = [];
  for (const one of exclusive.length > 0 ? exclusive : inclusive) {
    const replies = await one.getReplies(ctx);
    options.push([String(one.name), replies?.totalItems ?? null]);
  }
  return {
    isMultiple: inclusive.length > 0,
    options,
    endTime: question.endTime?.toString() ?? null,
    closed: question.closed == null ? null : String(question.closed),
    votersCount: question.voters,
  };
}

/**
 * What of a document is lost on its way through JSON-LD and Fedify's vocabulary: terms that no
 * context defines, and properties and types that Fedify does not write again after it has read them.
 */
export async function terms(document, ctx) {
  const undefinedTerms = [];
  const options = { ...ctx, format: "expand" };
  const ours = await jsonld.expand(document, {
    documentLoader: ctx.contextLoader,
    keepFreeFloatingNodes: true,
    eventHandler: ({ event, next }) => {
      if (event.code.startsWith("invalid property")) undefinedTerms.push(event.details.property);
      else if (event.level === "warning") undefinedTerms.push(event.code);
      next();
    },
  });
  let object;
  try {
    object = await APObject.fromJsonLd(document, ctx);
  } catch (error) {
    return { type: null, undefined: undefinedTerms, lost: [String(error)] };
  }
  const kept = new Set();
  collect(await object.toJsonLd(options), kept);
  const meant = new Set();
  collect(ours, meant);
  return {
    type: object.constructor.name,
    undefined: undefinedTerms,
    lost: [...meant].filter((term) => !kept.has(term)),
  };
}

// What other standards define and Fedify has no property for, so that it cannot be kept.
const FOREIGN = [
  "http://joinmastodon.org/ns#attributionDomains",
  "http://joinmastodon.org/ns#blurhash",
  "https://purl.archive.org/socialweb/webfinger#webfinger", // FEP-2c59
  "https://w3id.org/fep/7aa9#canFeature",
  "https://w3id.org/fep/844e/implements",
];

function collect(value, into) {
  if (Array.isArray(value)) value.forEach((one) => collect(one, into));
  else if (value != null && typeof value === "object") {
    for (const [key, inner] of Object.entries(value)) {
      const isEmpty = Array.isArray(inner) && inner.length === 0;
      if (isEmpty || FOREIGN.includes(key) || isAllForeign(inner)) continue;
      // A string is the kind of a value, such as a number, not what something is.
      if (key === "@type" && Array.isArray(inner)) inner.forEach((one) => into.add(one));
      else if (!key.startsWith("@")) into.add(key);
      collect(inner, into);
    }
  }
}

function isAllForeign(values) {
  const keys = Array.isArray(values) ? values.flatMap((one) => Object.keys(Object(one))) : [];
  return keys.length > 0 && keys.every((key) => FOREIGN.includes(key));
}
