/* SPDX-License-Identifier: BSD-2-Clause */
/* Locality and moves against what a move costs, with the best trigger at each cost, drawn by gnuplot. */
#include "sim.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* In gnuplot's single quotes, where a quote is doubled. */
static void quoted(FILE *to, const char *text)
{
    fputc('\'', to);
    for (; *text; text++) {
        if (*text == '\'')
            fputc('\'', to);
        fputc(*text, to);
    }
    fputc('\'', to);
}

static void data(FILE *to, const struct options *o, const struct result *r, unsigned n)
{
    fprintf(to, "$best << EOD\n");
    for (unsigned i = 0; i < o->costs; i++) {
        unsigned b = best(o, r, n, o->cost[i]);

        fprintf(to, "%" PRIu64 " %.4f %" PRIu64 " ", o->cost[i] / 1000, 100 * locality(&r[b]),
                all_moves(&r[b]));
        if (b)
            fprintf(to, "%u\n", r[b].params.trigger);
        else
            fprintf(to, "off\n");
    }
    fprintf(to, "EOD\n");
}

static bool all_above_zero(const struct options *o)
{
    for (unsigned i = 0; i < o->costs; i++) {
        if (!o->cost[i])
            return false;
    }
    return true;
}

static void script(FILE *to, const struct options *o, const struct result *r, unsigned n)
{
    fprintf(to, "set terminal svg size 720,440 background 'white'\nset output ");
    quoted(to, o->plot);
    fprintf(
        to,
        "\nset title '%u nodes: the best trigger at each cost of a move'\n"
        "set xlabel 'cost of a move (us)'\nset ylabel 'local misses (%%)'\nset y2label 'moves'\n"
        "set ytics nomirror\nset y2tics\nset yrange [0:100]\nset y2range [0:*]\nset grid\n"
        "set key outside bottom center horizontal\n%s",
        o->nodes, all_above_zero(o) ? "set logscale x\n" : "");
    data(to, o, r, n);
    fprintf(to,
            "plot %.4f with lines dashtype 2 title 'local, without moves', \\\n"
            "  $best using 1:2 with linespoints title 'local', \\\n"
            "  $best using 1:3 axes x1y2 with linespoints title 'moves', \\\n"
            "  $best using 1:2:4 with labels offset 0,1 notitle\n",
            100 * locality(&r[0]));
}

/* Where there is no gnuplot the shell says so, with status 127. */
static bool ended(int status)
{
    if (status == 0)
        return true;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        fprintf(stderr, "numa-sim: --plot needs gnuplot (Debian package gnuplot-nox)\n");
    else
        fprintf(stderr, "numa-sim: gnuplot could not make the picture\n");
    return false;
}

bool plot(const struct options *o, const struct result *r, unsigned n)
{
    FILE *to;

    signal(SIGPIPE, SIG_IGN);
    to = popen("exec gnuplot", "w");
    if (!to) {
        fprintf(stderr, "numa-sim: gnuplot: %s\n", strerror(errno));
        return false;
    }
    script(to, o, r, n);
    return ended(pclose(to));
}
