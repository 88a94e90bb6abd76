/* Preloaded into a process, it notes every name that is looked up and every address outside of
   loopback that is connected to, one a line, in the file that NETWORK_LOG names. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void note(const char *what, const char *whom) {
  const char *path = getenv("NETWORK_LOG");
  FILE *file = path ? fopen(path, "a") : NULL;
  if (file == NULL) return;
  fprintf(file, "%s %s\n", what, whom);
  fclose(file);
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **result) {
  static int (*original)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
  if (original == NULL) *(void **)&original = dlsym(RTLD_NEXT, "getaddrinfo");
  if (node != NULL && strcmp(node, "localhost") != 0 && strcmp(node, "127.0.0.1") != 0)
    note("looked up", node);
  return original(node, service, hints, result);
}

int connect(int socket, const struct sockaddr *address, socklen_t length) {
  static int (*original)(int, const struct sockaddr *, socklen_t);
  char text[INET6_ADDRSTRLEN] = "";
  if (original == NULL) *(void **)&original = dlsym(RTLD_NEXT, "connect");
  if (address->sa_family == AF_INET) {
    const struct sockaddr_in *inet = (const struct sockaddr_in *)address;
    inet_ntop(AF_INET, &inet->sin_addr, text, sizeof text);
    if (strncmp(text, "127.", 4) != 0) note("connected to", text);
  } else if (address->sa_family == AF_INET6) {
    const struct sockaddr_in6 *inet = (const struct sockaddr_in6 *)address;
    inet_ntop(AF_INET6, &inet->sin6_addr, text, sizeof text);
    if (strcmp(text, "::1") != 0) note("connected to", text);
  }
  return original(socket, address, length);
}
