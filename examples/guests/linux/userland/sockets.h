/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets of IPv4 and IPv6. Addresses may have %INTERFACE if they are of a link only.
 */
#ifndef SOCKETS_H
#define SOCKETS_H

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest.h"

/* Any address of this machine, of both protocols where there are both. */
static inline int bound(int type, unsigned long port)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET6, type, 0), one = 1;

    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        CHECK(bind(fd, (struct sockaddr *)&six, sizeof(six)) == 0);
        return fd;
    }
    fd = socket(AF_INET, type, 0);
    CHECK(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    CHECK(bind(fd, (struct sockaddr *)&four, sizeof(four)) == 0);
    return fd;
}

static inline int connected(int type, char *address, unsigned long port)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int is_four = inet_pton(AF_INET, address, &four.sin_addr) == 1;
    char *interface = strchr(address, '%');
    struct sockaddr *to = is_four ? (struct sockaddr *)&four : (struct sockaddr *)&six;
    socklen_t length = is_four ? sizeof(four) : sizeof(six);
    int fd;

    if (interface != NULL) {
        *interface++ = '\0';
        six.sin6_scope_id = if_nametoindex(interface);
    }
    CHECK(is_four || inet_pton(AF_INET6, address, &six.sin6_addr) == 1);
    /* The other side may not be there yet. */
    for (int tries = 0;; tries++) {
        fd = socket(to->sa_family, type, 0);
        CHECK(fd >= 0);
        if (connect(fd, to, length) == 0)
            return fd;
        CHECK(tries < 300 &&
              (errno == ECONNREFUSED || errno == EHOSTUNREACH || errno == ENETUNREACH));
        close(fd);
        usleep(100000);
    }
}

#endif
