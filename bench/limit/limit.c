/*
 * The least that a mirror of blobs has to do: receive a blob from the upstream, hash it, write it to a file, and send
 * it to the client meanwhile, all but its last byte, which leaves once the digest is right. No mirror that does this
 * work in user space can be much faster, so the benches compare Larder with it.
 *
 *     limit PORT DIRECTORY UPSTREAM-PORT [--ca FILE] [--fsync]
 *
 * It serves 127.0.0.1 and fetches from there, by TLS if --ca names the authority to trust. --fsync has the file on the
 * disk before the last byte leaves. Each blob has two threads: one receives, hashes and writes; the other, which is
 * the client's, sends by sendfile(2). It takes only requests that benches make: GET of a blob by its SHA-256, one
 * client a cold blob, one request a connection. It is no server for anything else.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 32 * 1024, BUFFER_BYTES = 256 * 1024, RECORD_BYTES = 16 * 1024, HEX = 64, PATH_BYTES = 1024 };

static const char *directory;
static int upstream_port;
static SSL_CTX *tls;
static bool syncs;

/* A connection to the upstream. */
struct upstream {
    int socket;
    SSL *ssl;
};

/* A blob on its way from the upstream. The receiving thread changes what the sending thread waits for. */
struct fill {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char path[PATH_BYTES];
    char hex[HEX + 1];
    int file;
    int64_t length;   /* -1 until the answer's head has come */
    int64_t sendable; /* bytes that may leave */
    bool failed;
};

static void die(const char *what) {
    perror(what);
    exit(1);
}

static struct sockaddr_in address_of(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static bool send_all(int socket, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t sent = send(socket, bytes, count, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes += sent;
        count -= (size_t)sent;
    }
    return true;
}

/* --- the upstream --- */

static bool connect_upstream(struct upstream *to) {
    struct sockaddr_in address = address_of(upstream_port);
    to->ssl = NULL;
    to->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(to->socket, (struct sockaddr *)&address, sizeof address) != 0) return false;
    if (tls == NULL) return true;
    to->ssl = SSL_new(tls);
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(to->ssl), "127.0.0.1");
    SSL_set_fd(to->ssl, to->socket);
    return SSL_connect(to->ssl) == 1;
}

static void disconnect_upstream(struct upstream *from) {
    if (from->ssl != NULL) SSL_free(from->ssl);
    close(from->socket);
}

static bool ask_upstream(struct upstream *to, const char *path) {
    char request[2 * PATH_BYTES];
    int count = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", path, upstream_port);
    if (to->ssl == NULL) return send_all(to->socket, request, (size_t)count);
    return SSL_write(to->ssl, request, count) == count;
}

/* Waits for bytes, and takes what has come, at most `room`. Returns 0 or less at the end and on failures. */
static ssize_t receive(struct upstream *from, char *into, size_t room) {
    if (from->ssl == NULL) return recv(from->socket, into, room, 0);
    size_t count = 0;
    do {
        int got = SSL_read(from->ssl, into + count, (int)(room - count));
        if (got <= 0) return count > 0 ? (ssize_t)count : got;
        count += (size_t)got;
    } while (SSL_has_pending(from->ssl) && room - count >= RECORD_BYTES);
    return (ssize_t)count;
}

/* Reads the answer's head. Returns the bytes of body behind it, which it moves to the start; -1 unless it is a 200. */
static ssize_t receive_head(struct upstream *from, char *buffer, int64_t *length) {
    size_t count = 0;
    char *end = NULL;
    while (end == NULL) {
        ssize_t got = count < HEAD_BYTES ? receive(from, buffer + count, HEAD_BYTES - count) : -1;
        if (got <= 0) return -1;
        count += (size_t)got;
        end = memmem(buffer, count, "\r\n\r\n", 4);
    }
    *end = 0;
    char *field = strcasestr(buffer, "\r\ncontent-length:");
    if (strncmp(buffer, "HTTP/1.1 200", 12) != 0 || field == NULL) return -1;
    *length = strtoll(strchr(field, ':') + 1, NULL, 10);
    size_t body = count - (size_t)(end + 4 - buffer);
    memmove(buffer, end + 4, body);
    return (ssize_t)body;
}

/* --- the receiving thread --- */

static void tell(struct fill *fill, int64_t sendable, bool failed) {
    pthread_mutex_lock(&fill->lock);
    fill->sendable = sendable;
    fill->failed = failed;
    pthread_cond_signal(&fill->changed);
    pthread_mutex_unlock(&fill->lock);
}

static bool write_all(int file, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(file, bytes, count);
        if (written <= 0) return false;
        bytes += written;
        count -= (size_t)written;
    }
    return true;
}

static bool has_digest(EVP_MD_CTX *hash, const char *hex) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    char text[2 * EVP_MAX_MD_SIZE + 1];
    unsigned int count = 0;
    EVP_DigestFinal_ex(hash, digest, &count);
    for (unsigned int i = 0; i < count; i++) sprintf(text + 2 * i, "%02x", digest[i]);
    return strcmp(text, hex) == 0;
}

/* Makes the blob one that the next client gets from the file. */
static bool publish(const struct fill *fill) {
    char from[PATH_BYTES], to[PATH_BYTES];
    snprintf(from, sizeof from, "%s/%s.part", directory, fill->hex);
    snprintf(to, sizeof to, "%s/%s", directory, fill->hex);
    return rename(from, to) == 0;
}

static bool take_in(struct fill *fill, struct upstream *from, char *buffer, EVP_MD_CTX *hash) {
    int64_t length = -1, at = 0;
    ssize_t got = ask_upstream(from, fill->path) ? receive_head(from, buffer, &length) : -1;
    if (got < 0 || length < 1) return false;
    pthread_mutex_lock(&fill->lock);
    fill->length = length;
    pthread_mutex_unlock(&fill->lock);
    for (;;) {
        EVP_DigestUpdate(hash, buffer, (size_t)got);
        if (!write_all(fill->file, buffer, (size_t)got)) return false;
        at += got;
        if (at >= length) break;
        tell(fill, at, false);
        int64_t left = length - at;
        got = receive(from, buffer, left < BUFFER_BYTES ? (size_t)left : BUFFER_BYTES);
        if (got <= 0) return false;
    }
    tell(fill, length - 1, false);
    return at == length && has_digest(hash, fill->hex) && (!syncs || fsync(fill->file) == 0) && publish(fill);
}

static void *run_fill(void *argument) {
    struct fill *fill = argument;
    struct upstream from;
    char *buffer = malloc(BUFFER_BYTES);
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    EVP_DigestInit_ex(hash, EVP_sha256(), NULL);
    bool succeeded = connect_upstream(&from) && take_in(fill, &from, buffer, hash);
    disconnect_upstream(&from);
    EVP_MD_CTX_free(hash);
    free(buffer);
    tell(fill, succeeded ? fill->length : 0, !succeeded);
    return NULL;
}

/* --- the client's thread --- */

static bool send_file(int socket, int file, int64_t *at, int64_t to) {
    while (*at < to) {
        off_t offset = *at;
        ssize_t sent = sendfile(socket, file, &offset, (size_t)(to - *at));
        if (sent <= 0) return false;
        *at += sent;
    }
    return true;
}

static bool send_head(int socket, int64_t length) {
    char head[256];
    int count = snprintf(head, sizeof head,
                         "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %lld\r\n"
                         "Connection: close\r\n\r\n",
                         (long long)length);
    return send_all(socket, head, (size_t)count);
}

/* Waits until more than `sent` bytes may leave. Returns how many in all; -1 if the fill has failed. */
static int64_t wait_for_more(struct fill *fill, int64_t sent) {
    pthread_mutex_lock(&fill->lock);
    while (fill->sendable <= sent && !fill->failed) pthread_cond_wait(&fill->changed, &fill->lock);
    int64_t sendable = fill->failed ? -1 : fill->sendable;
    pthread_mutex_unlock(&fill->lock);
    return sendable;
}

static void follow(int client, struct fill *fill) {
    int64_t sent = 0, sendable = wait_for_more(fill, 0);
    bool goes_on = sendable >= 0 && send_head(client, fill->length);
    while (goes_on && sent < fill->length) {
        sendable = wait_for_more(fill, sent);
        goes_on = sendable >= 0 && send_file(client, fill->file, &sent, sendable);
    }
}

static void serve_cold(int client, const char *path, const char *hex) {
    struct fill fill = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .length = -1};
    char name[PATH_BYTES];
    pthread_t receiver;
    snprintf(fill.path, sizeof fill.path, "%s", path);
    snprintf(fill.hex, sizeof fill.hex, "%s", hex);
    snprintf(name, sizeof name, "%s/%s.part", directory, hex);
    fill.file = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fill.file < 0) die(name);
    if (pthread_create(&receiver, NULL, run_fill, &fill) != 0) die("pthread_create");
    follow(client, &fill);
    pthread_join(receiver, NULL);
    close(fill.file);
}

static void serve_blob(int client, const char *path, const char *hex) {
    char name[PATH_BYTES];
    struct stat status;
    int64_t at = 0;
    snprintf(name, sizeof name, "%s/%s", directory, hex);
    int file = open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        serve_cold(client, path, hex);
        return;
    }
    if (fstat(file, &status) == 0 && send_head(client, status.st_size)) send_file(client, file, &at, status.st_size);
    close(file);
}

static bool read_request(int client, char *request, size_t room) {
    size_t count = 0;
    request[0] = 0;
    while (strstr(request, "\r\n\r\n") == NULL) {
        ssize_t got = count + 1 < room ? recv(client, request + count, room - 1 - count, 0) : -1;
        if (got <= 0) return false;
        count += (size_t)got;
        request[count] = 0;
    }
    return true;
}

static void *serve(void *argument) {
    int client = (int)(intptr_t)argument;
    char request[HEAD_BYTES], path[PATH_BYTES / 2], hex[HEX + 1];
    if (read_request(client, request, sizeof request) && sscanf(request, "GET %511s", path) == 1) {
        const char *digest = strstr(path, "/sha256:");
        if (digest != NULL && sscanf(digest, "/sha256:%64[0-9a-f]", hex) == 1 && strlen(hex) == HEX)
            serve_blob(client, path, hex);
        else
            send_all(client, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 57);
    }
    close(client);
    return NULL;
}

/* --- the program --- */

static void trust(const char *ca) {
    tls = SSL_CTX_new(TLS_client_method());
    if (SSL_CTX_load_verify_locations(tls, ca, NULL) != 1) die(ca);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_read_ahead(tls, 1);
    SSL_CTX_set_default_read_buffer_len(tls, BUFFER_BYTES);
}

static int listen_at(int port) {
    struct sockaddr_in address = address_of(port);
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) die("bind");
    if (listen(listener, 1024) != 0) die("listen");
    return listener;
}

int main(int count, char **arguments) {
    if (count < 4) {
        fputs("usage: limit PORT DIRECTORY UPSTREAM-PORT [--ca FILE] [--fsync]\n", stderr);
        return 2;
    }
    directory = arguments[2];
    upstream_port = atoi(arguments[3]);
    for (int i = 4; i < count; i++) {
        if (strcmp(arguments[i], "--fsync") == 0) syncs = true;
        if (strcmp(arguments[i], "--ca") == 0 && i + 1 < count) trust(arguments[++i]);
    }
    signal(SIGPIPE, SIG_IGN);
    int listener = listen_at(atoi(arguments[1]));
    for (;;) {
        pthread_t thread;
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (client < 0) continue;
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)client) != 0) die("pthread_create");
        pthread_detach(thread);
    }
}
