// webhook-intake, written as such functions usually are: the SDK's clients as they come, the secret read at the start.

import { createHmac, timingSafeEqual } from "node:crypto";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

const { ORDER_PUSH_QUEUE_URL, TRACKING_WRITEBACK_QUEUE_URL, SHOPIFY_APP_SECRET_ID } = process.env;

const order = (body) => ({ id: body.id, seen: body.updated_at });
const orderId = (body) => ({ id: body.order_id });
const orderEdit = (body) => ({ id: body.order_edit?.order_id });
const fulfillmentOrder = (body) => ({ type: "fulfillment_order", id: body.fulfillment_order?.id });

const TOPICS = {
  "orders/create": [ORDER_PUSH_QUEUE_URL, order],
  "orders/paid": [ORDER_PUSH_QUEUE_URL, order],
  "orders/updated": [ORDER_PUSH_QUEUE_URL, order],
  "orders/edited": [ORDER_PUSH_QUEUE_URL, orderEdit],
  "orders/cancelled": [ORDER_PUSH_QUEUE_URL, order],
  "orders/fulfilled": [ORDER_PUSH_QUEUE_URL, order],
  "orders/partially_fulfilled": [ORDER_PUSH_QUEUE_URL, order],
  "refunds/create": [ORDER_PUSH_QUEUE_URL, orderId],
  "fulfillments/create": [TRACKING_WRITEBACK_QUEUE_URL, orderId],
  "fulfillments/update": [TRACKING_WRITEBACK_QUEUE_URL, orderId],
  "fulfillment_orders/placed_on_hold": [ORDER_PUSH_QUEUE_URL, fulfillmentOrder],
  "fulfillment_orders/hold_released": [ORDER_PUSH_QUEUE_URL, fulfillmentOrder],
  "fulfillment_orders/order_routing_complete": [ORDER_PUSH_QUEUE_URL, fulfillmentOrder],
};

const sqs = new SQSClient({});
const secret = await new SecretsManagerClient({}).send(new GetSecretValueCommand({ SecretId: SHOPIFY_APP_SECRET_ID }));
const app = JSON.parse(secret.SecretString);

export async function handler(event) {
  const header = (name) => event.headers[`x-shopify-${name}`] ?? event.headers[`shopify-${name}`];
  if (event.pathParameters?.channel !== "shopify") return answer(404);

  const raw = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
  if (!isSigned(raw, header("hmac-sha256"))) {
    log("warn", "a delivery was refused");
    return answer(401);
  }

  const [queue, subjectOf] = TOPICS[header("topic")] ?? [];
  const shop = header("shop-domain");
  const { type = "order", id, seen } = (shop && subjectOf?.(parsed(raw))) ?? {};
  if (!id) {
    log("warn", "a verified delivery is of no use", { topic: header("topic") });
    return answer(200);
  }

  const task = {
    v: 1,
    trigger: "webhook",
    cause_id: header("event-id") ?? header("webhook-id") ?? "webhook",
    hop: 0,
    subject: { type, shop, id: String(id).split("/").pop() },
    seen_updated_at: seen,
  };
  try {
    await sqs.send(new SendMessageCommand({ QueueUrl: queue, MessageGroupId: shop, MessageBody: JSON.stringify(task) }));
  } catch (error) {
    log("error", "a delivery could not be stored", { error: String(error) });
    return answer(503);
  }
  log("info", "delivery stored", { shop, topic: header("topic"), id: task.subject.id });
  return answer(200);
}

function isSigned(raw, signature) {
  const given = Buffer.from(signature ?? "", "base64");
  return [app.client_secret, app.previous_client_secret].filter(Boolean).some((key) => {
    const wanted = createHmac("sha256", key).update(raw).digest();
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  });
}

function parsed(raw) {
  try {
    return JSON.parse(raw) ?? {};
  } catch {
    return {};
  }
}

function answer(statusCode) {
  return { statusCode };
}

function log(level, message, fields = {}) {
  console.log(JSON.stringify({ timestamp: new Date().toISOString(), level, message, ...fields }));
}
