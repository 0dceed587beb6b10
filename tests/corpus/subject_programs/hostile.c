/* Does what a program under test had better not do. */

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char block[64 * 1024];

static void *flood(void *file) {
    for (;;)
        if (write((int)(long)file, block, sizeof block) <= 0)
            return NULL;
}

static void flood_both(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, flood, (void *)2);
    flood((void *)1);
}

static void flood_errors(void) {
    for (long left = 1L << 30; left > 0; left -= sizeof block)
        if (write(2, block, sizeof block) <= 0)
            return;
    if (write(2, "the end", 7) == 7 && write(1, "x", 1) == 1)
        pause();
}

/* Ends, and leaves a process in a session of its own with all descriptors open. */
static void leave_daemon(void) {
    if (!fork()) {
        setsid();
        if (!fork())
            for (;;)
                pause();
        _exit(0);
    }
    wait(NULL);
}

/* Never two of them at a time, and none lives long, nor in a session of another. */
static void run_away(void) {
    if (fork()) {
        pause();
        return;
    }
    for (;;) {
        setsid();
        if (fork() > 0)
            _exit(0);
    }
}

static void multiply(void) {
    for (int left = 8; left; left--)
        if (!fork())
            setsid();
    if (write(1, "x", 1) == 1)
        for (;;)
            pause();
}

static void ignore_signals(void) {
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_IGN);
    if (write(1, "x", 1) == 1)
        for (;;)
            pause();
}

static void stop(void) {
    if (write(1, "x", 1) == 1)
        raise(SIGSTOP);
}

/* A thread goes on when the first one has ended. */
static void *last(void *unused) {
    char byte;
    while (read(0, &byte, 1) == 1)
        if (write(1, &byte, 1) != 1)
            break;
    exit(3);
    return unused;
}

static void end_first_thread(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, last, NULL);
    pthread_exit(NULL);
}

static void go_deep(void) {
    for (int depth = 0; depth < 1500; depth++)
        if (mkdir("deep", 0700) || chdir("deep"))
            exit(1);
    if (symlink("/", "root") || mkfifo("fifo", 0600) || close(open("file", O_CREAT, 0)))
        exit(1);
}

static void lock_folders(void) {
    if (mkdir("a", 0700) || mkdir("a/b", 0700) || close(creat("a/b/c", 0)) || chmod("a/b", 0) ||
        chmod("a", 0) || chmod(".", 0))
        exit(1);
}

static void fill(void) {
    char name[32];
    for (int number = 0; number < 200; number++) {
        snprintf(name, sizeof name, "%d", number);
        if (close(creat(name, 0600)))
            exit(1);
    }
}

/* Takes 16 MiB for a length that is only claimed, and ends at once. */
static void believe(void) {
    unsigned char head[4];
    if (read(0, head, sizeof head) == sizeof head && (head[0] || head[1])) {
        volatile char *space = malloc(1 << 24);
        for (long place = 0; space && place < 1 << 24; place++)
            space[place] = 1;
        exit(1);
    }
    while (read(0, block, sizeof block) > 0)
        ;
}

static void remove_folder(void) {
    if (rmdir(getenv("TMPDIR")))
        exit(1);
}

static void put_link(void) {
    if (rmdir(getenv("TMPDIR")) || symlink(getenv("ELSEWHERE"), getenv("TMPDIR")))
        exit(1);
}

static const struct { const char *name; void (*act)(void); int in_folder; } ACTS[] = {
    {"flood-both", flood_both, 0}, {"flood-errors", flood_errors, 0},
    {"leave-daemon", leave_daemon, 0}, {"run-away", run_away, 0}, {"multiply", multiply, 0},
    {"ignore-signals", ignore_signals, 0}, {"stop", stop, 0},
    {"end-first-thread", end_first_thread, 0}, {"go-deep", go_deep, 1},
    {"lock-folders", lock_folders, 1}, {"fill", fill, 1}, {"remove-folder", remove_folder, 0},
    {"put-link", put_link, 0}, {"believe", believe, 0},
};

int main(int count, char **words) {
    if (count != 2)
        return 2;
    for (size_t i = 0; i < sizeof ACTS / sizeof *ACTS; i++)
        if (!strcmp(ACTS[i].name, words[1])) {
            if (ACTS[i].in_folder && chdir(getenv("TMPDIR")))
                return 1;
            ACTS[i].act();
            return 0;
        }
    return 2;
}
