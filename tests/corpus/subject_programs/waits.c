/* Answers each byte that it reads with the same byte, after waiting in the way that it is told. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct timespec WHILE = {0, 200 * 1000 * 1000};
static char byte = 'x';

static int get(void) { return read(0, &byte, 1) == 1; }

static void answer(void) {
    if (write(1, &byte, 1) != 1)
        exit(1);
}

/* Ways to read, without a time limit. */

static int by_poll(void) {
    struct pollfd one = {0, POLLIN, 0};
    return poll(&one, 1, -1) == 1 && get();
}

static int by_ppoll(void) {
    struct pollfd two[2] = {{-1, POLLIN, 0}, {0, POLLIN, 0}};
    return ppoll(two, 2, NULL, NULL) == 1 && get();
}

static int by_select(void) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(0, &set);
    return select(1, &set, NULL, NULL, NULL) == 1 && get();
}

static int by_epoll(void) {
    static int set = -1;
    struct epoll_event event = {EPOLLIN, {0}};
    if (set < 0) {
        set = epoll_create1(0);
        epoll_ctl(set, EPOLL_CTL_ADD, 0, &event);
        struct epoll_event other = {EPOLLIN, {0}};
        epoll_ctl(set, EPOLL_CTL_ADD, eventfd(0, 0), &other);
    }
    return epoll_wait(set, &event, 1, -1) == 1 && get();
}

static int by_duplicate(void) {
    static int other = -1;
    if (other < 0) {
        other = dup(0);
        close(0);
    }
    return read(other, &byte, 1) == 1;
}

/* Another thread reads, and this one waits for it. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int state; /* 0: to be read, 1: read, 2: ended */

static void *reader(void *unused) {
    for (;;) {
        int more = get();
        pthread_mutex_lock(&mutex);
        state = more ? 1 : 2;
        pthread_cond_broadcast(&changed);
        while (state == 1)
            pthread_cond_wait(&changed, &mutex);
        pthread_mutex_unlock(&mutex);
        if (!more)
            return unused;
    }
}

static int by_thread(void) {
    static pthread_t thread;
    pthread_mutex_lock(&mutex);
    if (!thread)
        pthread_create(&thread, NULL, reader, NULL);
    state = 0;
    pthread_cond_broadcast(&changed);
    while (!state)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    return state == 1;
}

/* A child reads, and this process reads from it. */
static int by_child(void) {
    static int ends[2];
    if (!ends[1]) {
        if (pipe(ends))
            exit(1);
        if (!fork()) {
            close(1);
            while (get())
                if (write(ends[1], &byte, 1) != 1)
                    break;
            exit(0);
        }
        close(0);
        close(ends[1]);
    }
    return read(ends[0], &byte, 1) == 1;
}

static int plainly(void) { return get(); }

/* Ways to take a while. */

static void sleeping(void) { nanosleep(&WHILE, NULL); answer(); }

static void computing(void) {
    struct timespec now, until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += WHILE.tv_nsec;
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - until.tv_sec) * 1000000000LL + now.tv_nsec - until.tv_nsec < 0);
    answer();
}

static void *later(void *unused) { sleeping(); return unused; }

static void in_thread(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, later, NULL);
    pthread_detach(thread);
}

static void joining(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, later, NULL);
    pthread_join(thread, NULL);
}

static void expired(union sigval unused) { (void)unused; answer(); }
static void alarmed(int unused) { (void)unused; answer(); }

static void start_timer(struct sigevent *how) {
    timer_t timer;
    struct itimerspec when = {{0, 0}, WHILE};
    if (timer_create(CLOCK_MONOTONIC, how, &timer) || timer_settime(timer, 0, &when, NULL))
        exit(1);
}

static void in_timer_thread(void) {
    struct sigevent how = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = expired};
    start_timer(&how);
}

static void restarting(int number) {
    struct sigaction action = {.sa_handler = alarmed, .sa_flags = SA_RESTART};
    sigaction(number, &action, NULL);
}

static void by_timer_signal(void) {
    struct sigevent how = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
    restarting(SIGUSR2);
    start_timer(&how);
}

static void by_alarm(void) {
    struct itimerval when = {{0, 0}, {0, 200 * 1000}};
    restarting(SIGALRM);
    setitimer(ITIMER_REAL, &when, NULL);
}

static void *alarm_waiter(void *set) {
    int number;
    sigwait(set, &number);
    answer();
    return NULL;
}

static void by_awaited_alarm(void) {
    static sigset_t set;
    pthread_t thread;
    struct itimerval when = {{0, 0}, {0, 200 * 1000}};
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_create(&thread, NULL, alarm_waiter, &set);
    setitimer(ITIMER_REAL, &when, NULL);
}

static void by_alarm_descriptor(void) {
    struct signalfd_siginfo info;
    struct itimerval when = {{0, 0}, {0, 200 * 1000}};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    struct pollfd two[2] = {{0, POLLIN, 0}, {signalfd(-1, &set, 0), POLLIN, 0}};
    setitimer(ITIMER_REAL, &when, NULL);
    poll(two, 2, -1);
    if (two[1].revents && read(two[1].fd, &info, sizeof info) > 0)
        answer();
    close(two[1].fd);
}

static void by_timer_descriptor(void) {
    uint64_t times;
    struct itimerspec when = {{0, 0}, WHILE};
    struct pollfd two[2] = {{0, POLLIN, 0}, {timerfd_create(CLOCK_MONOTONIC, 0), POLLIN, 0}};
    timerfd_settime(two[1].fd, 0, &when, NULL);
    poll(two, 2, -1);
    if (two[1].revents && read(two[1].fd, &times, sizeof times) > 0)
        answer();
    close(two[1].fd);
}

static void by_time_limit(void) {
    struct pollfd one = {0, POLLIN, 0};
    if (!poll(&one, 1, 200))
        answer();
}

static void by_select_limit(void) {
    fd_set set;
    struct timeval limit = {0, 200 * 1000};
    FD_ZERO(&set);
    FD_SET(0, &set);
    if (!select(1, &set, NULL, NULL, &limit))
        answer();
}

static void by_condition(void) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WHILE.tv_nsec;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&mutex);
    pthread_cond_timedwait(&changed, &mutex, &until);
    pthread_mutex_unlock(&mutex);
    answer();
}

static void wait_for(int ends[2]) {
    if (!fork()) {
        char old = byte;
        close(ends[0]);
        nanosleep(&WHILE, NULL);
        exit(write(ends[1], &old, 1) != 1);
    }
    close(ends[1]);
    struct pollfd two[2] = {{0, POLLIN, 0}, {ends[0], POLLIN, 0}};
    poll(two, 2, -1);
    if (two[1].revents && read(ends[0], &byte, 1) == 1)
        answer();
    close(ends[0]);
    wait(NULL);
}

static void by_pipe(void) {
    int ends[2];
    if (pipe(ends))
        exit(1);
    wait_for(ends);
}

static void by_socket(void) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
        exit(1);
    wait_for(ends);
}

static void by_waiting(void) {
    if (!fork()) {
        nanosleep(&WHILE, NULL);
        exit(0);
    }
    wait(NULL);
    answer();
}

/* This process reads on at once; one that it has let go of answers. */
static void by_daemon(void) {
    if (!fork()) {
        setsid();
        if (!fork())
            sleeping();
        _exit(0);
    }
    wait(NULL);
}

/* Many short-lived processes, each started by the one before. */
static void by_relay(void) {
    if (!fork()) {
        for (int left = 200; left; left--) {
            struct timespec moment = {0, 1000 * 1000};
            setsid();
            nanosleep(&moment, NULL);
            if (fork())
                _exit(0);
        }
        answer();
        _exit(0);
    }
    wait(NULL);
}

/* Ways to wait for ever. */

static void in_pause(void) { pause(); }

static void in_signal_suspension(void) {
    sigset_t set;
    sigfillset(&set);
    sigsuspend(&set);
}

static void on_own_pipe(void) {
    int ends[2];
    if (!pipe(ends) && read(ends[0], &byte, 1) == 1)
        answer();
}

static void on_full_pipe(void) {
    int ends[2];
    static char page[4096];
    if (!pipe(ends))
        while (write(ends[1], page, sizeof page) > 0)
            ;
}

static void on_lock(void) {
    pthread_mutex_lock(&mutex);
    pthread_mutex_lock(&mutex);
}

static void *forever(void *unused) { pause(); return unused; }

static void on_thread(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, forever, NULL);
    pthread_join(thread, NULL);
}

static void on_child(void) {
    if (!fork())
        pause();
    wait(NULL);
}

static void on_stopped_child(void) {
    if (!fork())
        raise(SIGSTOP);
    wait(NULL);
}

static void on_event_descriptor(void) {
    uint64_t count;
    if (read(eventfd(0, 0), &count, sizeof count) > 0)
        answer();
}

static void on_own_socket(void) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
        exit(1);
    struct pollfd one = {ends[0], POLLIN, 0};
    poll(&one, 1, -1);
}

/* The input stays open for reading as long as somebody could write to it. */
static void on_input_of_its_own(void) {
    open("/proc/self/fd/0", O_WRONLY);
    while (get())
        ;
}

/* It is told of news alone, of which the end of the input is the last. */
static void on_edges(void) {
    static char data[1 << 20];
    int set = epoll_create1(0);
    struct epoll_event event = {EPOLLIN | EPOLLET, {0}};
    epoll_ctl(set, EPOLL_CTL_ADD, 0, &event);
    while (epoll_wait(set, &event, 1, -1) == 1)
        if (read(0, data, sizeof data) < 0)
            exit(1);
}

/* Ways to wait for what may come from elsewhere. */

static void called(int unused) { (void)unused; }

static void by_signal_of_input(void) {
    signal(SIGIO, called);
    fcntl(0, F_SETOWN, getpid());
    fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_ASYNC);
    pause();
}

static void by_shared_semaphore(void) {
    char name[4096];
    snprintf(name, sizeof name, "%s/semaphore", getenv("TMPDIR"));
    int file = open(name, O_RDWR | O_CREAT, 0600);
    if (ftruncate(file, sizeof(sem_t)))
        exit(1);
    sem_t *semaphore = mmap(NULL, sizeof(sem_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    sem_init(semaphore, 1, 0);
    sem_wait(semaphore);
}

static void by_connection(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int one = socket(AF_UNIX, SOCK_STREAM, 0);
    if (!bind(one, (void *)&address, sizeof(sa_family_t)) && !listen(one, 1))
        accept(one, NULL, NULL);
}

static void by_sleep(void) { sleep(600); }

static const struct { const char *name; int (*read)(void); } READS[] = {
    {"plainly", plainly}, {"poll", by_poll}, {"ppoll", by_ppoll}, {"select", by_select},
    {"epoll", by_epoll}, {"duplicate", by_duplicate}, {"thread", by_thread}, {"child", by_child},
};

static const struct { const char *name; void (*wait)(void); } WAITS[] = {
    {"at-once", answer}, {"sleeping", sleeping}, {"computing", computing},
    {"thread", in_thread}, {"joining", joining}, {"timer-thread", in_timer_thread},
    {"timer-signal", by_timer_signal}, {"alarm", by_alarm}, {"awaited-alarm", by_awaited_alarm},
    {"alarm-descriptor", by_alarm_descriptor}, {"timer-descriptor", by_timer_descriptor},
    {"time-limit", by_time_limit}, {"select-limit", by_select_limit},
    {"condition", by_condition}, {"pipe", by_pipe}, {"socket", by_socket},
    {"waiting", by_waiting}, {"daemon", by_daemon}, {"relay", by_relay},
};

static const struct { const char *name; void (*stick)(void); } STICKS[] = {
    {"pause", in_pause}, {"signal-suspension", in_signal_suspension}, {"own-pipe", on_own_pipe},
    {"full-pipe", on_full_pipe}, {"lock", on_lock}, {"thread", on_thread}, {"child", on_child},
    {"stopped-child", on_stopped_child}, {"event-descriptor", on_event_descriptor},
    {"own-socket", on_own_socket}, {"input-of-its-own", on_input_of_its_own},
    {"edges", on_edges},
};

static const struct { const char *name; void (*wait)(void); } CALLS[] = {
    {"signal-of-input", by_signal_of_input}, {"shared-semaphore", by_shared_semaphore},
    {"connection", by_connection}, {"sleep", by_sleep},
};

int main(int count, char **words) {
    if (count != 3)
        return 2;
    for (size_t i = 0; i < sizeof STICKS / sizeof *STICKS; i++)
        if (!strcmp(STICKS[i].name, words[1]) && !strcmp("sticks", words[2])) {
            answer();
            STICKS[i].stick();
            return 0;
        }
    for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS; i++)
        if (!strcmp(CALLS[i].name, words[1]) && !strcmp("calls", words[2])) {
            answer();
            CALLS[i].wait();
            return 0;
        }
    for (size_t i = 0; i < sizeof READS / sizeof *READS; i++)
        for (size_t j = 0; j < sizeof WAITS / sizeof *WAITS; j++)
            if (!strcmp(READS[i].name, words[1]) && !strcmp(WAITS[j].name, words[2])) {
                while (READS[i].read())
                    WAITS[j].wait();
                return 0;
            }
    return 2;
}
