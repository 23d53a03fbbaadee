import { readWebhookSecret } from "../../lib/observe/webhook_secret.ts";
import { assertEquals, assertRejects } from "../assert.ts";

Deno.test("the secret of a webhook is the text of its file, without blanks around it", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, " a secret\n");
  assertEquals(await readWebhookSecret(file), "a secret");
  await Deno.writeTextFile(file, " \n");
  await assertRejects(() => readWebhookSecret(file), Error, `${file}: found no text, expected a secret`);
  await Deno.remove(file);
});
