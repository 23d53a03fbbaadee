import { DroppedEvents } from "../../lib/observe/dropped_events.ts";
import { assertEquals } from "../assert.ts";
import { captureLog } from "../serving.ts";

Deno.test("each dropped event is in the number of one line, and lines are a minute apart", () => {
  using log = captureLog();
  let now = 0;
  const dropped = new DroppedEvents("https://hook.example.com/", () => now);
  dropped.report();
  for (let index = 0; index < 100; index++) dropped.add();
  now = 60_000;
  dropped.add();
  dropped.add(3);
  dropped.report();
  dropped.report();
  assertEquals(log.lines("dropped"), [
    "webhook https://hook.example.com/: 1 event dropped: its queue is full",
    "webhook https://hook.example.com/: 100 events dropped: its queue is full",
    "webhook https://hook.example.com/: 3 events dropped: its queue is full",
  ]);
});
