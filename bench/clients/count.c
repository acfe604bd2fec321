/*
 * Clients that only count: they ask for a blob again and again, each on a connection of its own, and have the kernel
 * drop the bodies (recv with MSG_TRUNC), so that no byte of them is copied. What is left is the server's own work.
 *
 *     count PORT PATH CLIENTS MILLISECONDS
 *
 * It prints the bytes of bodies that all clients have received in this time from 127.0.0.1. It takes only what the
 * benches' servers answer: 200 with a Content-Length, on a connection that stays open.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_BYTES = 8 * 1024, REQUEST_BYTES = 1024, DROPPED_BYTES = 1024 * 1024 };

static int port;
static char request[REQUEST_BYTES];
static int64_t ends_at;

static void die(const char *what) {
    perror(what);
    exit(1);
}

/* Returns milliseconds of a clock that never goes back. */
static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static int connected(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    if (client < 0 || connect(client, (struct sockaddr *)&address, sizeof address) != 0) die("connect");
    return client;
}

/* Reads the head of an answer, and none of its body. Returns the length of the body. */
static int64_t read_head(int client) {
    char head[HEAD_BYTES + 1];
    for (;;) {
        ssize_t seen = recv(client, head, HEAD_BYTES, MSG_PEEK);
        if (seen <= 0) die("recv");
        head[seen] = 0;
        char *end = strstr(head, "\r\n\r\n");
        if (end == NULL && seen < HEAD_BYTES) continue;
        if (end == NULL || strncmp(head, "HTTP/1.1 200 ", 13) != 0) break;
        size_t length = end + 4 - head;
        if (recv(client, head, length, MSG_WAITALL) != (ssize_t)length) die("recv");
        head[length] = 0;
        char *field = strcasestr(head, "\r\nContent-Length:");
        if (field == NULL) break;
        return strtoll(field + strlen("\r\nContent-Length:"), NULL, 10);
    }
    fprintf(stderr, "unexpected answer: %.200s\n", head);
    exit(1);
}

/* Drops a body. Returns how many of its bytes came in time. */
static int64_t drop_body(int client, int64_t length) {
    int64_t dropped = 0;
    while (dropped < length && now() < ends_at) {
        int64_t wanted = length - dropped < DROPPED_BYTES ? length - dropped : DROPPED_BYTES;
        ssize_t count = recv(client, NULL, wanted, MSG_TRUNC);
        if (count <= 0) die("recv");
        dropped += count;
    }
    return dropped;
}

static void *run_client(void *total) {
    int client = connected();
    while (now() < ends_at) {
        if (send(client, request, strlen(request), MSG_NOSIGNAL) < 0) die("send");
        *(int64_t *)total += drop_body(client, read_head(client));
    }
    close(client);
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: count PORT PATH CLIENTS MILLISECONDS\n");
        return 2;
    }
    port = atoi(argv[1]);
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", argv[2], port);
    int clients = atoi(argv[3]);
    ends_at = now() + atoll(argv[4]);
    pthread_t threads[clients];
    int64_t totals[clients];
    memset(totals, 0, sizeof totals);
    for (int i = 0; i < clients; i++)
        if (pthread_create(&threads[i], NULL, run_client, &totals[i]) != 0) die("pthread_create");
    int64_t sum = 0;
    for (int i = 0; i < clients; i++) {
        pthread_join(threads[i], NULL);
        sum += totals[i];
    }
    printf("%lld\n", (long long)sum);
    return 0;
}
