/** A thread that starts processes all the time. */

while (true) await Promise.all(Array.from({ length: 4 }, () => new Deno.Command("true").output()));
