// Runs a handler on Lambda's Runtime API: node runtime.js <module>. Does less than the client in AWS's own runtime, so
// Node looks rather better here than on Lambda.

import { Agent, request } from "node:http";

const API = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const agent = new Agent({ keepAlive: true });

const { handler } = await import(process.argv[2]);

for (;;) {
  const { headers, body } = await call("GET", "invocation/next");
  const id = headers["lambda-runtime-aws-request-id"];
  try {
    await call("POST", `invocation/${id}/response`, JSON.stringify(await handler(JSON.parse(body))));
  } catch (error) {
    await call("POST", `invocation/${id}/error`, JSON.stringify({ errorType: error.name, errorMessage: error.message }));
  }
}

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const sent = request(`${API}/${path}`, { method, agent }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part) => (text += part));
      response.on("end", () => resolve({ headers: response.headers, body: text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
