// Load generator and upstream for the benchmark beside HAProxy and nginx. Linux, one thread, epoll, no libraries.
//
//   load upstream PORT echo|sink                  an upstream on 127.0.0.1, until it is killed
//   load rtt      PORT ID CONNECTIONS SECONDS     each connection waits for its echo before it sends again
//   load paced    PORT ID CONNECTIONS SECONDS RATE   RATE round trips a second in all, each sent when it is due
//   load connect  PORT ID CONNECTIONS SECONDS     connects, sends ID and one message, waits for the echo, closes
//   load bulk     PORT ID CONNECTIONS SECONDS     streams towards the upstream, which has to be a sink
//   load hold     PORT ID CONNECTIONS             opens all at once, has each answered, holds them until stdin ends
//
// A run of # at the end of ID is a number, another one for each connection of `connect`: device-### is device-000 to
// device-999, again and again.
//
// Each prints one line of JSON. A message is a DATA frame: type 2, length (u32, big-endian), 64 bytes. The upstream
// gets the ID frame as well (type 1), so an echo brings it back ahead of the first message.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 256 * 1024, HEADER = 5, VALUE = 64, MESSAGE = HEADER + VALUE, MAX_ID = 255, EVENTS = 256 };
enum { DUE = 1024 };  // round trips that one paced connection may be behind

static unsigned char chunk[CHUNK];    // what is read goes here, what bulk writes comes from here
static unsigned char hello[HEADER + MAX_ID + MESSAGE];  // the ID frame and the first message
static size_t id_frame;               // length of the ID frame in it
static size_t digits;                 // of the number at the end of the ID
static unsigned long number;          // of the next connection
static unsigned long errors;

// ---- time and latencies

static int64_t now(void) {  // nanoseconds
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// Buckets of a logarithmic histogram: 128 for each power of two, so a percentile is within 0.8 %.
enum { SUB = 7, BUCKETS = (64 - SUB) << SUB };
static uint64_t histogram[BUCKETS], recorded;

static void record(int64_t ns) {
  uint64_t v = ns < 1 ? 1 : ns;
  int shift = 63 - __builtin_clzll(v) - SUB;
  histogram[shift <= 0 ? v : ((uint64_t)shift << SUB) + (v >> shift)]++;
  recorded++;
}

static double percentile(double share) {  // microseconds
  uint64_t left = share * (recorded - 1);
  for (uint64_t b = 0; recorded && b < BUCKETS; b++) {
    if (left < histogram[b]) {
      uint64_t shift = b >> SUB;
      return (shift <= 1 ? b : (b - ((shift - 1) << SUB)) << (shift - 1)) / 1e3;
    }
    left -= histogram[b];
  }
  return 0;
}

// ---- sockets

static void die(const char *what) {
  perror(what);
  exit(1);
}

static struct sockaddr_in loopback(uint32_t host, int port) {
  return (struct sockaddr_in){
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK + host)};
}

// Connects from 127.0.0.(1 + source): one address has too few ports for thousands of connections again and again.
static int dial(int port, int source) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  if (fd < 0) die("load: socket");
  struct sockaddr_in from = loopback(source, 0), to = loopback(0, port);
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (!bind(fd, (void *)&from, sizeof from) && !connect(fd, (void *)&to, sizeof to)) return fd;
  close(fd);
  return -1;
}

static void no_wait(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

// Small messages only: what does not fit into the socket's buffer is an error.
static int send_all(int fd, const void *bytes, size_t length) {
  return send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length ? 0 : -1;
}

static void frame(unsigned char *to, int type, const void *value, uint32_t length) {
  uint32_t size = htonl(length);
  to[0] = type;
  memcpy(to + 1, &size, sizeof size);
  memcpy(to + HEADER, value, length);
}

static void prepare(const char *id) {
  char value[VALUE];
  memset(value, 'x', VALUE);
  id_frame = HEADER + strlen(id);
  frame(hello, 1, id, strlen(id));
  frame(hello + id_frame, 2, value, VALUE);
  while (digits < strlen(id) && id[strlen(id) - 1 - digits] == '#') digits++;
}

static void number_id(void) {
  unsigned long rest = number++;
  for (size_t i = 1; i <= digits; i++, rest /= 10) hello[id_frame - i] = '0' + rest % 10;
}

static void watch(int epoll, int fd, uint32_t what, uint32_t index) {
  struct epoll_event event = {.events = what, .data.u32 = index};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) die("load: epoll_ctl");
}

// ---- upstream

// A write that would block has to wait: an echo is no larger than what was read, and its reader is about to read.
static void echo(int fd, size_t length) {
  for (size_t done = 0; done < length;) {
    ssize_t n = send(fd, chunk + done, length - done, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) return;
    if (n < 0) usleep(50);
    else done += n;
  }
}

static _Noreturn void upstream(int port, int echoes) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1, epoll = epoll_create1(0);
  struct sockaddr_in at = loopback(0, port);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (void *)&at, sizeof at) || listen(listener, 4096)) die("load: upstream");
  watch(epoll, listener, EPOLLIN, listener);
  for (struct epoll_event events[EVENTS];;) {
    int count = epoll_wait(epoll, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.u32;
      if (fd == listener) {
        for (int conn; (conn = accept4(listener, 0, 0, SOCK_NONBLOCK)) >= 0;) {
          setsockopt(conn, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
          watch(epoll, conn, EPOLLIN, conn);
        }
        continue;
      }
      ssize_t n = read(fd, chunk, CHUNK);
      if (n > 0 && echoes) echo(fd, n);
      if (n == 0 || (n < 0 && errno != EAGAIN)) close(fd);
    }
  }
}

// ---- closed loop: rtt and connect

typedef struct {
  int fd;
  size_t missing;  // bytes of the answer that have not come yet
  int64_t since;   // when the operation began
} Client;

static void begin(int epoll, Client *clients, int index, int port) {
  Client *c = &clients[index];
  c->since = now();
  c->missing = id_frame + MESSAGE;
  number_id();
  c->fd = dial(port, index % 4);
  if (c->fd < 0 || send_all(c->fd, hello, id_frame + MESSAGE)) {
    errors++;
    return;
  }
  no_wait(c->fd);
  watch(epoll, c->fd, EPOLLIN, index);
}

static uint64_t closed_loop(int port, int connections, int64_t until, int again) {
  Client *clients = calloc(connections, sizeof *clients);
  int epoll = epoll_create1(0);
  uint64_t done = 0;
  for (int i = 0; i < connections; i++) begin(epoll, clients, i, port);
  for (struct epoll_event events[EVENTS]; now() < until;) {
    int count = epoll_wait(epoll, events, EVENTS, 100);
    for (int i = 0; i < count; i++) {
      Client *c = &clients[events[i].data.u32];
      ssize_t n = read(c->fd, chunk, CHUNK);
      if (n < 0 && errno == EAGAIN) continue;
      if (n <= 0 || (size_t)n > c->missing) {
        errors++;
        close(c->fd);
        if (again) begin(epoll, clients, events[i].data.u32, port);
        continue;
      }
      if (c->missing -= n) continue;
      int64_t t = now();
      record(t - c->since);
      done++;
      if (again) {
        close(c->fd);
        begin(epoll, clients, events[i].data.u32, port);
      } else {
        c->since = t;
        c->missing = MESSAGE;
        if (send_all(c->fd, hello + id_frame, MESSAGE)) errors++;
      }
    }
  }
  return done;
}

// ---- open loop: paced

typedef struct {
  int fd;
  int64_t next;      // when the next round trip is due
  int64_t due[DUE];  // when those under way were due, a ring
  unsigned sent, answered;
  size_t partly;     // bytes of an answer that is not whole yet
} Paced;

static void paced_open(Paced *p, int port) {
  p->fd = dial(port, 0);
  if (p->fd < 0 || send_all(p->fd, hello, id_frame)) {
    errors++;
    return;
  }
  for (size_t got = 0; got < id_frame;) {
    ssize_t n = read(p->fd, chunk, id_frame - got);
    if (n <= 0) {
      errors++;
      return;
    }
    got += n;
  }
  no_wait(p->fd);
}

static void paced_send(Paced *p, int64_t gap) {
  for (int64_t t = now(); p->next <= t; p->next += gap) {
    if (p->sent - p->answered >= DUE || send_all(p->fd, hello + id_frame, MESSAGE)) errors++;
    else p->due[p->sent++ % DUE] = p->next;
  }
}

// A latency counts from the moment at which the round trip was due, so a stall is seen by all that it held up.
static void paced_read(Paced *p, int64_t counted_from) {
  ssize_t n = read(p->fd, chunk, CHUNK);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) {
    errors++;
    close(p->fd);
    return;
  }
  int64_t t = now();
  for (p->partly += n; p->partly >= MESSAGE && p->answered != p->sent; p->partly -= MESSAGE) {
    int64_t due = p->due[p->answered++ % DUE];
    if (due >= counted_from) record(t - due);
  }
}

static uint64_t paced(int port, int connections, int64_t until, double rate) {
  Paced *all = calloc(connections, sizeof *all);
  int epoll = epoll_create1(0);
  int64_t gap = 1e9 * connections / rate;
  for (int i = 0; i < connections; i++) {
    paced_open(&all[i], port);
    watch(epoll, all[i].fd, EPOLLIN, i);
  }
  int64_t start = now(), counted_from = start + (until - start) / 5;
  for (int i = 0; i < connections; i++) all[i].next = start + gap * i / connections;
  for (struct epoll_event events[EVENTS]; now() < until;) {
    int64_t first = until;
    for (int i = 0; i < connections; i++) {
      paced_send(&all[i], gap);
      if (all[i].next < first) first = all[i].next;
    }
    int64_t pause = first - now();
    struct timespec wait = {.tv_nsec = pause < 0 ? 0 : pause > 100000000 ? 100000000 : pause};
    int count = epoll_pwait2(epoll, events, EVENTS, &wait, 0);
    for (int i = 0; i < count; i++) paced_read(&all[events[i].data.u32], counted_from);
  }
  uint64_t done = 0;
  for (int i = 0; i < connections; i++) done += all[i].answered;
  return done;
}

// ---- bulk

// DATA frames as large as a chunk, written wherever the socket stops taking bytes: a frame is cut and continued.
static uint64_t bulk(int port, int connections, int64_t until) {
  int *fds = calloc(connections, sizeof *fds), epoll = epoll_create1(0);
  size_t *offset = calloc(connections, sizeof *offset);
  uint64_t bytes = 0;
  frame(chunk, 2, chunk + HEADER, CHUNK - HEADER);
  for (int i = 0; i < connections; i++) {
    fds[i] = dial(port, 0);
    if (fds[i] < 0 || send_all(fds[i], hello, id_frame)) die("load: bulk");
    no_wait(fds[i]);
    watch(epoll, fds[i], EPOLLOUT, i);
  }
  for (struct epoll_event events[EVENTS]; now() < until;) {
    int count = epoll_wait(epoll, events, EVENTS, 100);
    for (int i = 0; i < count; i++) {
      int k = events[i].data.u32;
      ssize_t n = send(fds[k], chunk + offset[k], CHUNK - offset[k], MSG_NOSIGNAL);
      if (n < 0 && errno == EAGAIN) continue;
      if (n < 0) {
        errors++;
        close(fds[k]);
        continue;
      }
      bytes += n;
      offset[k] = (offset[k] + n) % CHUNK;
    }
  }
  return bytes;
}

// ---- hold

static void hold(int port, int connections) {
  int *fds = calloc(connections, sizeof *fds), opened = 0, answered = 0;
  struct timeval patience = {.tv_sec = 5};
  int64_t start = now();
  for (int i = 0; i < connections; i++) {
    int fd = dial(port, i % 4);
    if (fd < 0) continue;
    fds[opened++] = fd;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (send_all(fd, hello, id_frame + MESSAGE)) errors++;
  }
  for (int i = 0; i < opened; i++) {
    size_t want = id_frame + MESSAGE;
    if (recv(fds[i], chunk, want, MSG_WAITALL) == (ssize_t)want) answered++;
  }
  printf("{\"ops\":%d,\"answered\":%d,\"seconds\":%.4f,\"errors\":%lu}\n", connections, answered,
         (now() - start) / 1e9, errors + connections - answered);
  fflush(stdout);
  while (read(0, chunk, CHUNK) > 0) {}
}

// ---- the command line

static void raise_open_files(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

static int usage(void) {
  fputs("usage: load upstream PORT echo|sink\n"
        "       load rtt|connect|bulk PORT ID CONNECTIONS SECONDS\n"
        "       load paced PORT ID CONNECTIONS SECONDS RATE\n"
        "       load hold PORT ID CONNECTIONS\n", stderr);
  return 2;
}

int main(int count, char **words) {
  if (count < 4) return usage();
  const char *mode = words[1];
  int port = atoi(words[2]);
  raise_open_files();
  if (!strcmp(mode, "upstream")) upstream(port, !strcmp(words[3], "echo"));
  if (count < 5 || strlen(words[3]) > MAX_ID) return usage();
  prepare(words[3]);
  int connections = atoi(words[4]);
  if (!strcmp(mode, "hold")) return hold(port, connections), 0;
  if (count < 6) return usage();
  int64_t start = now(), until = start + 1e9 * atof(words[5]);
  uint64_t done;
  if (!strcmp(mode, "bulk")) {
    double megabytes = bulk(port, connections, until) / 1e6;
    printf("{\"ops\":%.1f,\"per_s\":%.1f,\"errors\":%lu}\n", megabytes, megabytes * 1e9 / (now() - start), errors);
    return 0;
  }
  if (!strcmp(mode, "rtt")) done = closed_loop(port, connections, until, 0);
  else if (!strcmp(mode, "connect")) done = closed_loop(port, connections, until, 1);
  else if (!strcmp(mode, "paced") && count > 6) done = paced(port, connections, until, atof(words[6]));
  else return usage();
  double seconds = (now() - start) / 1e9;
  printf("{\"ops\":%llu,\"per_s\":%.0f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"errors\":%lu}\n",
         (unsigned long long)done, done / seconds, percentile(.5), percentile(.99), percentile(.999), errors);
  return 0;
}
