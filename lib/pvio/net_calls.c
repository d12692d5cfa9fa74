/* SPDX-License-Identifier: BSD-2-Clause */
#include <disco/net.h>

static int64_t net_send(void *dev, void *caller, const union disco_arg *a)
{
    const struct disco_nic *nic = dev;

    (void)caller;
    return disco_net_send(nic->net, nic->port, &a[0].buf, a[0].buf.node);
}

/* The structure goes both ways. */
static int64_t net_recv(void *dev, void *caller, const union disco_arg *a)
{
    const struct disco_nic *nic = dev;
    struct disco_buf io = a[0].buf;

    (void)caller;
    io.access = DISCO_READ | DISCO_WRITE;
    return disco_net_recv(nic->net, nic->port, &io, io.node);
}

static int64_t net_state(void *dev, void *caller, const union disco_arg *a)
{
    const struct disco_nic *nic = dev;

    (void)caller;
    (void)a;
    return disco_net_is_up(nic->net, nic->port) ? DISCO_NET_UP : 0;
}

int disco_net_calls(struct disco_nic *nic, struct disco_calls *t)
{
    const struct disco_call call[] = {
        {DISCO_CALL_NET_SEND,
         "net_send",
         net_send,
         nic,
         {{DISCO_ARG_BUF_IN, sizeof(struct disco_net_send),
           sizeof(struct disco_net_send) + DISCO_NET_SEGS * sizeof(struct disco_io_seg)}}},
        {DISCO_CALL_NET_RECV,
         "net_recv",
         net_recv,
         nic,
         {{DISCO_ARG_BUF_OUT, sizeof(struct disco_net_recv), sizeof(struct disco_net_recv)}}},
        {DISCO_CALL_NET_STATE, "net_state", net_state, nic, {{DISCO_ARG_NONE, 0, 0}}},
    };

    if (!nic || !nic->net)
        return DISCO_ERR_BAD_ARG;
    return disco_calls_add_all(t, call, sizeof call / sizeof call[0]);
}
