/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first process of a guest whose root file system is on a disk: all that its initramfs holds. It mounts the disk
 * that the kernel argument root= names (else /dev/dd0), puts what the launcher left in /disco into a tmpfs at /disco
 * there, makes the disk the root and becomes its /init.
 */
#define _GNU_SOURCE

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* The end of the first process is the end of the machine, and this its reason. */
static void check(int result, const char *what, const char *which)
{
    if (result >= 0)
        return;
    dprintf(2, "start: %s%s: %s\n", what, which, strerror(errno));
    exit(1);
}

/* The value of a kernel argument, or `otherwise`. */
static const char *argument(const char *name, const char *otherwise)
{
    static char line[4096];
    int fd = open("/proc/cmdline", O_RDONLY);
    ssize_t length = read(fd, line, sizeof(line) - 1);

    check((int)length, "read /proc/cmdline", "");
    close(fd);
    line[length] = '\0';
    for (char *word = strtok(line, " \n"); word != NULL; word = strtok(NULL, " \n"))
        if (strncmp(word, name, strlen(name)) == 0)
            return word + strlen(name);
    return otherwise;
}

static void mount_root(void)
{
    const char *device;

    check(mount("devtmpfs", "/dev", "devtmpfs", 0, NULL), "mount /dev", "");
    check(mount("proc", "/proc", "proc", 0, NULL), "mount /proc", "");
    device = argument("root=", "/dev/dd0");
    check(mount(device, "/root", "ext2", MS_NOATIME, NULL), "mount ", device);
    check(umount("/proc"), "umount /proc", "");
    check(umount("/dev"), "umount /dev", "");
}

static void copy(int from, int to)
{
    static char block[4096];
    ssize_t n;

    while ((n = read(from, block, sizeof(block))) > 0)
        check(write(to, block, (size_t)n) == n ? 0 : -1, "write to /disco", "");
    check((int)n, "read from /disco", "");
}

static void carry(const char *name)
{
    char old[512], new[512];
    int from, to;

    snprintf(old, sizeof(old), "/disco/%s", name);
    snprintf(new, sizeof(new), "/root/disco/%s", name);
    check(from = open(old, O_RDONLY), "open ", old);
    check(to = open(new, O_WRONLY | O_CREAT, 0644), "open ", new);
    copy(from, to);
    close(from);
    close(to);
    unlink(old);
}

static void carry_all(void)
{
    DIR *folder = opendir("/disco");
    struct dirent *entry;

    if (folder == NULL)
        return;
    check(mount("tmpfs", "/root/disco", "tmpfs", 0, NULL), "mount /disco", "");
    while ((entry = readdir(folder)) != NULL)
        if (entry->d_type == DT_REG)
            carry(entry->d_name);
    closedir(folder);
}

int main(void)
{
    mount_root();
    carry_all();
    /* This program's memory goes when it is no longer run. */
    unlink("/init");
    check(chdir("/root"), "chdir", "");
    check(mount(".", "/", NULL, MS_MOVE, NULL), "move the root", "");
    check(chroot("."), "chroot", "");
    check(chdir("/"), "chdir", "");
    check(execl("/init", "/init", (char *)NULL), "exec /init", "");
    return 1;
}
