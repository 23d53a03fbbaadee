// For nginx's njs: waits for the first frame (type u8, length u32, ID) and puts its ID into $id.

const HEADER = 5;

function read_id(session) {
  let seen = Buffer.alloc(0);
  session.on("upstream", (data) => {
    seen = Buffer.concat([seen, data]);
    if (seen.length < HEADER) return;
    const length = seen.readUInt32BE(1);
    if (seen.length < HEADER + length) return;
    session.variables.id = seen.slice(HEADER, HEADER + length).toString();
    session.off("upstream");
    session.done();
  });
}

export default { read_id };
