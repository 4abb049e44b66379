// A small server made with Fedify, to federate with: one person, `alice`, who is told by GET
// requests under /_/ what to do, and who tells there what has arrived.
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
} from "@fedify/fedify";
import {
  Accept,
  Activity,
  Announce,
  Create,
  Delete,
  Endpoints,
  Follow,
  Hashtag,
  isActor,
  Like,
  Mention,
  Note,
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
const followers = new Map(); // id -> recipient
const notes = new Map(); // uuid -> Note
const sent = new Map(); // id -> activity, so that it can be undone
let name = "Alice (Fedify)";

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
const keys = [
  await generateCryptoKeyPair("RSASSA-PKCS1-v1_5"),
  await generateCryptoKeyPair("Ed25519"),
];

const maySee = async (ctx) => !isStrict || (await ctx.getSignedKeyOwner()) != null;

async function person(ctx) {
  const pairs = await ctx.getActorKeyPairs("alice");
  return new Person({
    id: me,
    preferredUsername: "alice",
    name,
    summary: "<p>An independent peer</p>",
    url: new URL(`${origin}/@alice`),
    inbox: ctx.getInboxUri("alice"),
    outbox: ctx.getOutboxUri("alice"),
    followers: ctx.getFollowersUri("alice"),
    following: ctx.getFollowingUri("alice"),
    endpoints: new Endpoints({ sharedInbox: ctx.getInboxUri() }),
    publicKey: pairs[0].cryptographicKey,
    assertionMethods: pairs.map((pair) => pair.multikey),
    manuallyApprovesFollowers: false,
  });
}

federation
  .setActorDispatcher("/users/{identifier}", (ctx, id) => (id === "alice" ? person(ctx) : null))
  .setKeyPairsDispatcher((_ctx, id) => (id === "alice" ? keys : []))
  .authorize(maySee);
federation
  .setObjectDispatcher(Note, "/notes/{id}", (_ctx, values) => notes.get(values.id) ?? null)
  .authorize(maySee);
federation.setFollowersDispatcher("/users/{identifier}/followers", () => ({
  items: [...followers.values()],
}));
federation.setFollowingDispatcher("/users/{identifier}/following", () => ({ items: [] }));
federation.setOutboxDispatcher("/users/{identifier}/outbox", () => ({
  items: [...notes.values()].filter(isPublic).reverse().map(creation),
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
  followers.set(who.id.href, { id: who.id, inboxId: who.inboxId, endpoints: who.endpoints });
  const accept = new Accept({ id: activityId(), actor: me, object: follow });
  await ctx.sendActivity({ identifier: "alice" }, who, accept);
});
inbox.on(Undo, async (ctx, undo) => {
  await keep(ctx, undo);
  if ((await undo.getObject(ctx)) instanceof Follow) followers.delete(undo.actorId.href);
});
inbox.on(Activity, keep);
inbox.onError((_ctx, error) => {
  problems.push(`inbox: ${error.stack ?? error}`);
});

async function keep(ctx, activity) {
  arrived.push(await described(activity, ctx));
}

const href = (url) => url?.href ?? null;
const address = (urlOrLink) => urlOrLink?.href?.href ?? href(urlOrLink);
const hrefs = (urls) => urls.map(href);

/** What Fedify understood of an object: its own reading, not the JSON that came. */
async function described(object, ctx) {
  if (object == null) return null;
  const type = object.constructor.name;
  if (object instanceof Activity) {
    let about = null;
    if (object instanceof Create || object instanceof Update || object instanceof Undo ||
        object instanceof Accept || object instanceof Reject || object instanceof Delete) {
      about = await described(await object.getObject({ ...ctx, suppressError: true }), ctx);
    }
    return {
      type,
      id: href(object.id),
      actor: href(object.actorId),
      object: href(object.objectId),
      to: hrefs(object.toIds),
      cc: hrefs(object.ccIds),
      about,
    };
  }
  const all = async (items) => {
    const found = [];
    for await (const item of items) found.push(item);
    return found;
  };
  if (isActor(object)) {
    return {
      type,
      id: href(object.id),
      preferredUsername: String(object.preferredUsername),
      name: String(object.name),
      summary: object.summary == null ? null : String(object.summary),
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
      publicKeys: (await all(object.getPublicKeys(ctx))).map((key) => href(key.id)),
      assertionMethods: (await all(object.getAssertionMethods(ctx))).map((key) => href(key.id)),
      attachments: (await all(object.getAttachments(ctx))).map((one) => String(one.name)),
    };
  }
  if (object instanceof Note) {
    const tags = await all(object.getTags(ctx));
    return {
      type,
      id: href(object.id),
      author: href(object.attributionId),
      content: String(object.content),
      summary: object.summary == null ? null : String(object.summary),
      source: object.source?.content == null ? null : String(object.source.content),
      sensitive: object.sensitive,
      published: object.published?.toString() ?? null,
      updated: object.updated?.toString() ?? null,
      url: address(object.url),
      replyTo: href(object.replyTargetId),
      to: hrefs(object.toIds),
      cc: hrefs(object.ccIds),
      mentions: tags.filter((tag) => tag instanceof Mention).map((tag) => href(tag.href)),
      hashtags: tags.filter((tag) => tag instanceof Hashtag).map((tag) => String(tag.name)),
      attachments: (await all(object.getAttachments(ctx))).map((one) => ({
        mediaType: one.mediaType ?? null,
        url: address(one.url),
        name: one.name == null ? null : String(one.name),
      })),
      replies: href(object.repliesId),
    };
  }
  return { type, id: href(object.id) };
}

const activityId = () => new URL(`${origin}/activities/${crypto.randomUUID()}`);
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

/** Do what a test asks for. `to` is an actor's URL, or over https a handle. */
async function control(what, query) {
  const ctx = federation.createContext(new URL(origin), undefined);
  if (what === "arrived") return arrived;
  if (what === "wire") return wire;
  if (what === "asked") return asked;
  if (what === "bodies") return bodies;
  if (what === "problems") return problems;
  if (what === "followers") return [...followers.keys()];
  if (what === "actor") return (await person(ctx)).toJsonLd(ctx);
  const documentLoader = await ctx.getDocumentLoader({ identifier: "alice" });
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
    await ctx.sendActivity({ identifier: "alice" }, recipients, activity, { preferSharedInbox });
    return activity.id.href;
  };
  const id = activityId();
  const mine = ctx.getFollowersUri("alice");
  if (what === "follow") return send(new Follow({ id, actor: me, object: to.id, to: to.id }));
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
    name = query.get("name");
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
    return send(new Undo({ id, actor: me, object: sent.get(query.get("id")) }));
  }
  throw new Error(`there is no such control as ${what}`);
}

async function answer(request) {
  const url = new URL(request.url);
  if (url.pathname.startsWith("/_/")) {
    try {
      return Response.json(await control(url.pathname.slice(3), url.searchParams));
    } catch (error) {
      return Response.json({ error: String(error.stack ?? error) }, { status: 500 });
    }
  }
  const { method, headers } = request;
  if (method === "POST") {
    const synchronization = headers.get("collection-synchronization");
    bodies.push({ body: await request.clone().text(), synchronization });
  }
  const response = await federation.fetch(request, { contextData: undefined });
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
