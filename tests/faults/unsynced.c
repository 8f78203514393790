/* Loaded before libc's own: notes for every file how long it was when it was last made safe on the disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void note(int fd, long long size) {
    char link[64], path[4096], line[4200];
    const char *book = getenv("SYNCED_BOOK");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (book == NULL || length < 0) return;
    path[length] = 0;
    int out = open(book, O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (out < 0) return;
    int written = snprintf(line, sizeof line, "%lld %s\n", size, path);
    if (write(out, line, written) != written) abort();
    close(out);
}

static int synced(const char *name, int fd) {
    /* Before the call: what is written while it runs is not promised. */
    struct stat before;
    int known = fstat(fd, &before);
    int (*original)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    int result = original(fd);
    if (result == 0 && known == 0 && S_ISREG(before.st_mode)) note(fd, before.st_size);
    return result;
}

int fsync(int fd) { return synced("fsync", fd); }
int fdatasync(int fd) { return synced("fdatasync", fd); }
