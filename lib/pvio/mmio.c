/* SPDX-License-Identifier: BSD-2-Clause */
#include <disco/atomic.h>
#include <disco/mmio.h>

/* Windows are added before the VM runs, and only read afterwards: no lock. */

static bool window_ok(const struct disco_mmio_window *w)
{
    return w && w->ops && w->ops->read && w->ops->write && w->len && !(w->base.v & 7) &&
           w->base.v + w->len > w->base.v;
}

static bool overlaps(const struct disco_mmio_window *a, const struct disco_mmio_window *b)
{
    return a->base.v < b->base.v + b->len && b->base.v < a->base.v + a->len;
}

int disco_mmio_add(struct disco_mmio *m, const struct disco_mmio_window *w)
{
    if (!m || !window_ok(w))
        return DISCO_ERR_BAD_ARG;
    for (unsigned i = 0; i < m->windows; i++) {
        if (overlaps(&m->window[i], w))
            return DISCO_ERR_BUSY;
    }
    if (m->windows == DISCO_MMIO_WINDOWS)
        return DISCO_ERR_NO_SPACE;
    m->window[m->windows++] = *w;
    return DISCO_OK;
}

static const struct disco_mmio_window *find(const struct disco_mmio *m, disco_pa pa)
{
    for (unsigned i = 0; i < m->windows; i++) {
        if (pa.v - m->window[i].base.v < m->window[i].len)
            return &m->window[i];
    }
    return NULL;
}

/* Sizes are powers of two, and an aligned access that begins inside a page does not leave it. */
static bool access_ok(const struct disco_mmio_window *w, disco_pa pa, unsigned size)
{
    return size && size <= 8 && !(size & (size - 1)) && !(pa.v & (size - 1)) &&
           size <= w->len - (pa.v - w->base.v);
}

int disco_mmio_access(struct disco_mmio *m, disco_pa pa, unsigned size, bool write, uint64_t *value)
{
    const struct disco_mmio_window *w = find(m, pa);
    uint64_t mask;

    if (!w || !access_ok(w, pa, size)) {
        disco_count(&m->wild, 1);
        return w ? DISCO_ERR_BAD_ARG : DISCO_ERR_NOT_FOUND;
    }
    mask = UINT64_MAX >> (64 - 8 * size);
    if (write)
        w->ops->write(w->dev, pa.v - w->base.v, size, *value & mask);
    else
        *value = w->ops->read(w->dev, pa.v - w->base.v, size) & mask;
    disco_count(write ? &m->writes : &m->reads, 1);
    return DISCO_OK;
}
