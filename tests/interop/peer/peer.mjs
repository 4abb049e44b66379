// A small server made with Fedify, to federate with: a person, `alice`, and whoever else is wanted,
// who are told by requests under /_/ what to do, and who tell there what has arrived.
//
// usage: node peer.mjs PORT rfc9421|cavage
// environment: ORIGIN (scheme, host and port of all ids), TLS (prefix of a .key and a .pem file),
// STRICT (every document only for signed requests), FEDIFY_LOG (a level, for looking at failures)
import fs from "node:fs";
import https from "node:https";
import {
  buildCollectionSynchronizationHeader,
  createFederation,
  generateCryptoKeyPair,
  InProcessMessageQueue,
  MemoryKvStore,
  signRequest,
} from "@fedify/fedify";
import {
  Accept,
  Activity,
  Announce,
  Create,
  Delete,
  Endpoints,
  Follow,
  Group,
  isActor,
  Like,
  Mention,
  Note,
  Object as APObject,
  Person,
  PUBLIC_COLLECTION,
  Reject,
  Tombstone,
  Undo,
  Update,
} from "@fedify/vocab";
import { serve } from "@hono/node-server";
import { Temporal } from "@js-temporal/polyfill";
import { configure, getConsoleSink } from "@logtape/logtape";
import { described, href, terms } from "./reading.mjs";

const port = Number(process.argv[2]);
const firstKnock = process.argv[3] === "cavage" ? "draft-cavage-http-signatures-12" : "rfc9421";
const origin = process.env.ORIGIN ?? `http://localhost:${port}`;
const me = new URL(`${origin}/users/alice`);
const isStrict = Boolean(process.env.STRICT);
const level = process.env.FEDIFY_LOG ?? "fatal";
await configure({
  sinks: { console: getConsoleSink() },
  loggers: [
    { category: "fedify", lowestLevel: level, sinks: ["console"] },
    { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["console"] },
  ],
});

const arrived = []; // activities in the order in which they came, as Fedify read them
const wire = []; // every request that came: method, path, status, kind of signature
const bodies = []; // every body that came, as it came, and who is said to follow
const asked = []; // every request that went out, the same way
const problems = []; // what Fedify could not send or handle
const people = new Map(); // identifier -> who they are, with their followers
const notes = new Map(); // uuid -> Note
const sent = new Map(); // id -> activity, so that it can be undone
const things = new Map(); // uuid -> a document that is served as it is
// What stands in documents that a test writes without saying what they mean.
const CONTEXT = [
  "https://www.w3.org/ns/activitystreams",
  "https://gotosocial.org/ns",
  {
    toot: "http://joinmastodon.org/ns#",
    Emoji: "toot:Emoji",
    votersCount: "toot:votersCount",
    litepub: "http://litepub.social/ns#",
    EmojiReact: "litepub:EmojiReact",
    Hashtag: "as:Hashtag",
    sensitive: "as:sensitive",
    fep044f: "https://w3id.org/fep/044f#",
    quote: { "@id": "fep044f:quote", "@type": "@id" },
    quoteAuthorization: { "@id": "fep044f:quoteAuthorization", "@type": "@id" },
    QuoteRequest: "fep044f:QuoteRequest",
    QuoteAuthorization: "fep044f:QuoteAuthorization",
    ReplyRequest: "https://gotosocial.org/ns#ReplyRequest",
    LikeRequest: "https://gotosocial.org/ns#LikeRequest",
    AnnounceRequest: "https://gotosocial.org/ns#AnnounceRequest",
  },
];

const kindOf = (headers) =>
  headers.has("signature-input") ? "rfc9421" : headers.has("signature") ? "cavage" : "none";
const realFetch = globalThis.fetch;
globalThis.fetch = async (what, options) => {
  const url = new URL(what.url ?? what);
  const headers = what.headers ?? new Headers(options?.headers);
  const method = what.method ?? options?.method ?? "GET";
  const body = method !== "POST" ? "" : (options?.body ?? (await what.clone().text()));
  const response = await realFetch(what, options);
  const signature = kindOf(headers);
  asked.push({ method, path: url.pathname, status: response.status, signature, body: String(body) });
  return response;
};

const federation = createFederation({
  kv: new MemoryKvStore(),
  queue: new InProcessMessageQueue({ pollInterval: { milliseconds: 50 } }),
  origin,
  firstKnock,
  allowPrivateAddress: true, // loopback
  skipSignatureVerification: false,
  outboxRetryPolicy: ({ attempts }) =>
    attempts < 3 ? Temporal.Duration.from({ milliseconds: 300 }) : null,
  onOutboxError: (error) => problems.push(`outbox: ${error}`),
});
const maySee = async (ctx) => !isStrict || (await ctx.getSignedKeyOwner()) != null;
const uriOf = (identifier) => new URL(`${origin}/users/${identifier}`);
const hrefOf = (url) => (url ? new URL(url) : null);

/** Make somebody, or change what is said of them. */
async function become(identifier, values) {
  const known = people.get(identifier) ?? {
    name: identifier,
    type: "Person",
    followers: new Map(),
    pinned: [],
    isGone: false,
    keys: [
      await generateCryptoKeyPair("RSASSA-PKCS1-v1_5"),
      await generateCryptoKeyPair("Ed25519"),
    ],
  };
  people.set(identifier, { ...known, ...values });
}
await become("alice", { name: "Alice (Fedify)" });

async function person(ctx, identifier = "alice") {
  const known = people.get(identifier);
  if (known == null) return null;
  if (known.isGone) return new Tombstone({ id: uriOf(identifier) });
  const pairs = await ctx.getActorKeyPairs(identifier);
  const values = {
    id: uriOf(identifier),
    preferredUsername: identifier,
    name: known.name,
    summary: "<p>An independent peer</p>",
    url: new URL(`${origin}/@${identifier}`),
    inbox: ctx.getInboxUri(identifier),
    outbox: ctx.getOutboxUri(identifier),
    followers: ctx.getFollowersUri(identifier),
    following: ctx.getFollowingUri(identifier),
    featured: ctx.getFeaturedUri(identifier),
    endpoints: new Endpoints({ sharedInbox: ctx.getInboxUri() }),
    publicKey: pairs[0].cryptographicKey,
    assertionMethods: pairs.map((pair) => pair.multikey),
    manuallyApprovesFollowers: false,
    aliases: known.alias ? [new URL(known.alias)] : [],
    successor: hrefOf(known.successor),
  };
  return known.type === "Group" ? new Group(values) : new Person(values);
}

federation
  .setActorDispatcher("/users/{identifier}", (ctx, id) => person(ctx, id))
  .setKeyPairsDispatcher((_ctx, id) => people.get(id)?.keys ?? [])
  .authorize(maySee);
federation
  .setObjectDispatcher(Note, "/notes/{id}", (_ctx, values) => notes.get(values.id) ?? null)
  .authorize(maySee);
federation.setFollowersDispatcher("/users/{identifier}/followers", (_ctx, id) => ({
  items: [...people.get(id).followers.values()],
}));
federation.setFollowingDispatcher("/users/{identifier}/following", () => ({ items: [] }));
federation.setFeaturedDispatcher("/users/{identifier}/featured", async (ctx, id) => ({
  items: await Promise.all(people.get(id).pinned.map((uri) => thing(ctx, uri))),
}));
federation.setOutboxDispatcher("/users/{identifier}/outbox", (_ctx, id) => ({
  items: id === "alice" ? [...notes.values()].filter(isPublic).reverse().map(creation) : [],
}));
federation.setNodeInfoDispatcher("/nodeinfo/2.1", () => ({
  software: { name: "fedify-peer", version: { major: 1, minor: 0, patch: 0 } },
  protocols: ["activitypub"],
  usage: { users: { total: 1 }, localPosts: notes.size, localComments: 0 },
}));

const inbox = federation
  .setInboxListeners("/users/{identifier}/inbox", "/inbox")
  .setSharedKeyDispatcher(() => ({ identifier: "alice" }));
inbox.on(Follow, async (ctx, follow) => {
  await keep(ctx, follow);
  const who = await follow.getActor(ctx);
  if (!isActor(who)) return;
  const identifier = identifierOf(follow.objectId);
  people
    .get(identifier)
    .followers.set(who.id.href, { id: who.id, inboxId: who.inboxId, endpoints: who.endpoints });
  const accept = new Accept({ id: activityId(), actor: follow.objectId, object: follow });
  await ctx.sendActivity({ identifier }, who, accept);
});
inbox.on(Undo, async (ctx, undo) => {
  await keep(ctx, undo);
  const undone = await undo.getObject(ctx);
  if (undone instanceof Follow) {
    people.get(identifierOf(undone.objectId))?.followers.delete(undo.actorId.href);
  }
});
inbox.on(Activity, keep);
inbox.onError((_ctx, error) => {
  problems.push(`inbox: ${error.stack ?? error}`);
});

async function keep(ctx, activity) {
  arrived.push(await described(activity, ctx));
}

const activityId = () => new URL(`${origin}/activities/${crypto.randomUUID()}`);
const identifierOf = (url) => noteKey(url);
const noteKey = (url) => new URL(url).pathname.split("/").at(-1);
const isPublic = (note) => note.toIds.some((to) => to.href === PUBLIC_COLLECTION.href);
const creation = (note) =>
  new Create({
    id: new URL(`${note.id.href}#create`),
    actor: me,
    object: note,
    published: note.published,
    tos: note.toIds,
    ccs: note.ccIds,
  });

/** Read a document that a test has written with Fedify's vocabulary. */
const read = (ctx, json) =>
  APObject.fromJsonLd({ "@context": CONTEXT, ...json }, ctx).then((object) => object.clone());
const thing = (ctx, uri) => APObject.fromJsonLd(things.get(noteKey(uri)), ctx);

/** Do what a test asks for. `to` is an actor's URL, or over https a handle. */
async function control(what, query) {
  const ctx = federation.createContext(new URL(origin), undefined);
  if (what === "arrived") return arrived;
  if (what === "wire") return wire;
  if (what === "asked") return asked;
  if (what === "bodies") return bodies;
  if (what === "problems") return problems;
  const as = query.get("as") ?? "alice";
  if (what === "person") {
    const values = Object.fromEntries(query);
    await become(as, { ...values, ...(values.pinned && { pinned: [values.pinned] }) });
    return uriOf(as).href;
  }
  const { followers } = people.get(as);
  if (what === "followers") return [...followers.keys()];
  if (what === "actor") return (await person(ctx)).toJsonLd(ctx);
  const documentLoader = await ctx.getDocumentLoader({ identifier: as });
  const find = async (text) => {
    const found = await ctx.lookupObject(text, { documentLoader });
    if (found == null) throw new Error(`Fedify found nothing at ${text}`);
    return found;
  };
  if (what === "lookup") {
    const loader = query.has("unsigned") ? ctx.documentLoader : documentLoader;
    const found = await ctx.lookupObject(query.get("of"), { documentLoader: loader });
    return described(found, { ...ctx, documentLoader: loader, contextLoader: ctx.contextLoader });
  }
  if (what === "items") {
    const items = [];
    for await (const item of ctx.traverseCollection(await find(query.get("of")), {
      documentLoader,
    })) {
      items.push({ type: item.constructor.name, id: href(item.id) });
    }
    return items;
  }
  const to = query.get("to") ? await find(query.get("to")) : null;
  const recipients = to ?? [...followers.values()];
  const preferSharedInbox = query.has("shared");
  const send = async (activity) => {
    sent.set(activity.id.href, activity);
    await ctx.sendActivity({ identifier: as }, recipients, activity, { preferSharedInbox });
    return activity.id.href;
  };
  if (what === "terms") return terms(JSON.parse(query.get("document")), { ...ctx, documentLoader });
  if (what === "put") {
    // Something to be fetched. `raw` for what Fedify has no class for.
    const json = {
      id: `${origin}/things/${crypto.randomUUID()}`,
      attributedTo: uriOf(as).href,
      published: Temporal.Now.instant().toString(),
      ...JSON.parse(query.get("document")),
    };
    const uuid = noteKey(json.id);
    things.set(uuid, { "@context": CONTEXT, ...json });
    if (!query.has("raw")) {
      things.set(uuid, await (await read(ctx, json)).toJsonLd({ ...ctx, format: "compact" }));
    }
    return json.id;
  }
  if (what === "prove") {
    // Something for somebody else to bring: sent with a proof, but to a basket.
    const activity = await read(ctx, JSON.parse(query.get("document")));
    const basket = { id: me, inboxId: new URL(`http://127.0.0.1:${port}/basket`) };
    await ctx.sendActivity({ identifier: as }, basket, activity, { immediate: true });
    return JSON.parse(asked.findLast((one) => one.path === "/basket").body);
  }
  if (what === "send") {
    const json = { id: activityId().href, actor: uriOf(as).href, ...JSON.parse(query.get("document")) };
    const along = json.instrument == null ? "object" : "instrument";
    if (query.has("whole")) json[along] = things.get(noteKey(json[along]));
    if (!query.has("raw")) return send(await read(ctx, json));
    const [pair] = await ctx.getActorKeyPairs(as);
    const request = new Request(to.inboxId, {
      method: "POST",
      headers: { "Content-Type": "application/activity+json" },
      body: JSON.stringify({ "@context": CONTEXT, ...json }),
    });
    const signed = await signRequest(request, pair.privateKey, pair.keyId, { spec: firstKnock });
    const { status } = await fetch(signed);
    if (status !== 202) throw new Error(`a raw activity was answered ${status}`);
    return json.id;
  }
  const id = activityId();
  const mine = ctx.getFollowersUri("alice");
  if (what === "follow") {
    return send(new Follow({ id, actor: uriOf(as), object: to.id, to: to.id }));
  }
  if (what === "note") {
    const uuid = crypto.randomUUID();
    const closed = { followers: [mine], direct: [] }[query.get("visibility")];
    const note = new Note({
      id: new URL(`${origin}/notes/${uuid}`),
      attribution: me,
      content: query.get("text"),
      published: Temporal.Now.instant(),
      tos: closed == null ? [PUBLIC_COLLECTION] : to ? [...closed, to.id] : closed,
      ccs: closed == null ? (to ? [mine, to.id] : [mine]) : [],
      replyTarget: query.get("re") ? new URL(query.get("re")) : null,
      tags: to ? [new Mention({ href: to.id, name: query.get("to") })] : [],
    });
    notes.set(uuid, note);
    if (!query.has("quiet")) await send(creation(note));
    return note.id.href;
  }
  if (what === "synchronization") {
    const actors = query.getAll("actor").map((one) => new URL(one));
    return buildCollectionSynchronizationHeader(query.get("of"), actors);
  }
  if (what === "edit") {
    const key = noteKey(query.get("object"));
    const updated = Temporal.Now.instant();
    const note = notes.get(key).clone({ content: query.get("text"), updated });
    notes.set(key, note);
    return send(new Update({ id, actor: me, object: note, tos: note.toIds, ccs: note.ccIds }));
  }
  if (what === "delete") {
    const object = new Tombstone({ id: new URL(query.get("object")) });
    notes.delete(noteKey(query.get("object")));
    return send(new Delete({ id, actor: me, object, to: PUBLIC_COLLECTION }));
  }
  if (what === "rename") {
    await become(as, { name: query.get("name") });
    return send(new Update({ id, actor: me, object: await person(ctx), to: PUBLIC_COLLECTION }));
  }
  if (what === "like") return send(new Like({ id, actor: me, object: new URL(query.get("object")) }));
  if (what === "announce") {
    const object = new URL(query.get("object"));
    const published = Temporal.Now.instant();
    return send(
      new Announce({ id, actor: me, object, published, to: PUBLIC_COLLECTION, cc: mine }),
    );
  }
  if (what === "drop") {
    followers.delete(to.id.href);
    const object = new Follow({ id: new URL(query.get("id")), actor: to.id, object: me });
    return send(new Reject({ id, actor: me, object }));
  }
  if (what === "undo") {
    return send(new Undo({ id, actor: uriOf(as), object: sent.get(query.get("id")) }));
  }
  throw new Error(`there is no such control as ${what}`);
}

async function served(request, uuid) {
  const ctx = federation.createContext(request, undefined);
  const isShown = things.has(uuid) && (await maySee(ctx));
  const headers = { "Content-Type": "application/activity+json" };
  return isShown ? Response.json(things.get(uuid), { headers }) : new Response("", { status: 404 });
}

async function answer(request) {
  const url = new URL(request.url);
  if (url.pathname.startsWith("/_/")) {
    const document = request.method === "POST" ? await request.text() : "";
    if (document) url.searchParams.set("document", document);
    try {
      return Response.json(await control(url.pathname.slice(3), url.searchParams));
    } catch (error) {
      return Response.json({ error: String(error.stack ?? error) }, { status: 500 });
    }
  }
  if (url.pathname === "/basket") return new Response("", { status: 202 });
  const { method, headers } = request;
  if (method === "POST") {
    const synchronization = headers.get("collection-synchronization");
    bodies.push({ body: await request.clone().text(), synchronization });
  }
  const response = url.pathname.startsWith("/things/")
    ? await served(request, noteKey(url))
    : await federation.fetch(request, { contextData: undefined });
  wire.push({ method, path: url.pathname, status: response.status, signature: kindOf(headers) });
  return response;
}

const tls = process.env.TLS
  ? {
      createServer: https.createServer,
      serverOptions: {
        key: fs.readFileSync(`${process.env.TLS}.key`),
        cert: fs.readFileSync(`${process.env.TLS}.pem`),
      },
    }
  : {};
serve({ port, hostname: "127.0.0.1", fetch: answer, ...tls });
