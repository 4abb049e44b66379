// Judges requests as Misskey does, and signs one as it does. Reads one JSON document from standard
// input: {now, requests: [{method, url, headers, body, key}], sign: {request, key_id, key, names}}.
// Prints {verdicts: [...], signature}: each verdict is true, false or the text of the refusal.
import {
  parseRequestSignature,
  signAsDraftToRequest,
  verifyDigestHeader,
  verifyDraftSignature,
} from "@misskey-dev/node-http-message-signatures";

async function verdict({ method, url, headers, body, key }, now) {
  const request = { method, url, headers };
  try {
    if (method === "POST" && (await verifyDigestHeader(request, Buffer.from(body), true)) !== true)
      return "digest";
    const required = ["(request-target)", "host", "date", ...(method === "POST" ? ["digest"] : [])];
    const parsed = parseRequestSignature(request, {
      requiredComponents: { draft: required },
      clockSkew: { now, delay: 300_000, forward: 300_000 },
    });
    return parsed.version === "draft" && (await verifyDraftSignature(parsed.value, key));
  } catch (error) {
    return String(error);
  }
}

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { now, requests, sign } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
const verdicts = [];
for (const request of requests) verdicts.push(await verdict(request, new Date(now)));
const { signatureHeader } = await signAsDraftToRequest(
  sign.request,
  { keyId: sign.key_id, privateKeyPem: sign.key },
  sign.names,
);
console.log(JSON.stringify({ verdicts, signature: signatureHeader }));
