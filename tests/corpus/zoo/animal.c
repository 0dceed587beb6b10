/*
 * A plugin that makes the mistake named by its argument, or lists all with --list; "right" is none.
 * It shares no code with the project, and each mistake is one that is made in C.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMIT 262144u
#define COUNT (sizeof mistakes / sizeof *mistakes)

enum { INIT = 1, INIT_RESPONSE, PROTOCOL, ACCEPT, REJECT, SUCCESS, FAILURE, INIT_FAILURE };
enum { SERVER_REQUEST = 20, SERVER_RESPONSE };
enum state { START, IDLE, AUTHENTICATING, ENDED };

static const char *const mistakes[] = {
    "right",
    "one-read",              /* I took read(0, buffer, n) for a call that reads n bytes. */
    "never-flushes",         /* I used fwrite without fflush. */
    "prints",                /* I left a printf in, for debugging. */
    "loops-on-feof",         /* I looped while (!feof(stdin)), and used the old buffer once more. */
    "signed-bytes",          /* I put the length together from plain chars, which are signed. */
    "signed-length",         /* I put the length of a string in an int, so that -1 is small. */
    "checks-buffer-only",    /* I held a string's length against my buffer, not its frame. */
    "copies-unchecked",      /* I copied strings of any length. */
    "copies-to-fixed",       /* I copied prompts into a buffer of 64 bytes. */
    "fixed-prompts",         /* I had room for 4 prompts. */
    "stack-for-length",      /* I took the frame's buffer from the stack, whatever its length. */
    "clears-claimed-length", /* I allocated and cleared what the length asked for, up to 1 GiB. */
    "allocates-count",       /* I allocated room for the prompts that the count promised. */
    "null-when-empty",       /* I had no user name where it was empty, and used the pointer. */
    "compares-prefix",       /* I compared as many bytes of the method as had come. */
    "exit-status",           /* My main returned how many messages it had read. */
    "aborts-on-bad-frames",  /* I used assert for what the client sends. */
    "retries-write-errors",  /* I tried again when write failed, whatever the reason. */
    "daemonises",            /* I moved to the background when I was started. */
};
static const char *mistake = "right";
static unsigned messages;

static int makes(const char *name) {
    return strcmp(mistake, name) == 0;
}

static void require(int holds, const char *otherwise) {
    if (!holds) {
        fprintf(stderr, "refused: %s\n", otherwise);
        if (makes("aborts-on-bad-frames"))
            abort();
        exit(1);
    }
}

struct fields { const unsigned char *at; size_t left; };
struct text { const unsigned char *bytes; size_t length; };

static unsigned char buffer[LIMIT];

/* A compiler leaves out what is copied and never looked at, unless it cannot know what copies. */
static void *(*volatile copy_bytes)(void *, const void *, size_t) = memcpy;

/* Returns how many bytes came; fewer than wanted only at the end of the input. */
static size_t read_exactly(void *into, size_t wanted) {
    size_t got = 0;
    if (makes("one-read"))
        return (size_t)read(0, into, wanted);
    while (got < wanted) {
        ssize_t count = read(0, (char *)into + got, wanted - got);
        if (count == 0 || (count < 0 && errno != EINTR))
            break;
        if (count > 0)
            got += (size_t)count;
    }
    return got;
}

static uint32_t number(const void *bytes) {
    const unsigned char *at = bytes;
    if (makes("signed-bytes")) {
        const signed char *wrong = bytes;
        return (uint32_t)(wrong[0] << 24 | wrong[1] << 16 | wrong[2] << 8 | wrong[3]);
    }
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t take_uint32(struct fields *fields) {
    require(fields->left >= 4, "a field is cut short");
    fields->at += 4;
    fields->left -= 4;
    return number(fields->at - 4);
}

static int take_boolean(struct fields *fields) {
    require(fields->left >= 1 && *fields->at <= 1, "a boolean is neither 0 nor 1");
    fields->left--;
    return *fields->at++;
}

static struct text take_string(struct fields *fields) {
    uint32_t length = take_uint32(fields);
    struct text text = {fields->at, length};
    if (makes("signed-length") || makes("copies-unchecked")) {
        void *copy = malloc(LIMIT);
        if (makes("signed-length"))
            require((int)length <= (int)fields->left, "a string is too long");
        copy_bytes(copy, fields->at, length);
        free(copy);
    } else if (makes("checks-buffer-only")) {
        require(length <= LIMIT, "a string is too long");
        if (length > fields->left)
            fields->left = length;
    }
    require(length <= fields->left, "a string is too long");
    fields->at += length;
    fields->left -= length;
    return text;
}

/* No overlong form, no surrogate, nothing above U+10FFFF. */
static struct text take_utf8(struct fields *fields) {
    struct text text = take_string(fields);
    const unsigned char *at = text.bytes, *end = at + text.length;
    while (at < end) {
        unsigned char first = *at++;
        unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
        unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
        int more = first < 0x80 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
        require(first < 0x80 || (first >= 0xC2 && first <= 0xF4), "a text is not UTF-8");
        for (; more > 0; more--, at++, low = 0x80, high = 0xBF)
            require(at < end && *at >= low && *at <= high, "a text is not UTF-8");
    }
    return text;
}

static struct text take_ascii(struct fields *fields) {
    struct text text = take_string(fields);
    for (size_t i = 0; i < text.length; i++)
        require(text.bytes[i] < 0x80, "a text is not ASCII");
    return text;
}

static void take_end(const struct fields *fields) {
    require(fields->left == 0, "bytes are left over");
}

static unsigned char output[LIMIT];
static size_t output_length;

static void put(const void *bytes, size_t length) {
    require(length <= sizeof output - output_length, "the answer is too long");
    memcpy(output + output_length, bytes, length);
    output_length += length;
}

static void put_uint32(uint32_t value) {
    unsigned char bytes[4] = {value >> 24, value >> 16 & 255, value >> 8 & 255, value & 255};
    put(bytes, 4);
}

static void put_string(const char *string) {
    put_uint32((uint32_t)strlen(string));
    put(string, strlen(string));
}

static void begin(unsigned char type) {
    output_length = 4;
    put(&type, 1);
}

static void send_frame(void) {
    size_t length = output_length, sent = 0;
    output_length = 0;
    put_uint32((uint32_t)(length - 4));
    if (makes("never-flushes")) {
        fwrite(output, 1, length, stdout);
        return;
    }
    while (sent < length) {
        ssize_t count = write(1, output + sent, length - sent);
        if (count >= 0)
            sent += (size_t)count;
        else if (!makes("retries-write-errors") && errno != EINTR)
            exit(0); /* the client has gone */
    }
}

static enum state on_init(struct fields fields) {
    uint32_t version = take_uint32(&fields);
    struct text username;
    take_utf8(&fields);
    take_uint32(&fields);
    username = take_utf8(&fields);
    take_end(&fields);
    if (makes("null-when-empty")) {
        const unsigned char *volatile name = username.length ? username.bytes : NULL;
        fprintf(stderr, "the name begins with %c\n", *name);
    }
    begin(version < 2 ? INIT_FAILURE : INIT_RESPONSE);
    if (version >= 2)
        put_uint32(2);
    put_string(version < 2 ? "This plugin speaks version 2." : "");
    send_frame();
    return version < 2 ? ENDED : IDLE;
}

static enum state on_protocol(struct fields fields) {
    static const char known[] = "keyboard-interactive";
    struct text method = take_ascii(&fields);
    int accepts = method.length == strlen(known);
    if (makes("compares-prefix"))
        accepts = 1;
    accepts = accepts && strncmp((const char *)method.bytes, known, method.length) == 0;
    take_end(&fields);
    begin(accepts ? ACCEPT : REJECT);
    if (!accepts)
        put_string("");
    send_frame();
    return accepts ? AUTHENTICATING : IDLE;
}

static void copy_to_fixed(struct text prompt) {
    char copy[64];
    copy_bytes(copy, prompt.bytes, prompt.length);
    fprintf(stderr, "a prompt begins with %c\n", copy[0]);
}

static void keep_in_fixed(struct text *prompts, uint32_t count) {
    struct text copy[4];
    for (uint32_t i = 0; i < count; i++)
        copy[i] = prompts[i];
    fprintf(stderr, "the first prompt has %zu bytes\n", copy[0].length);
}

static enum state on_challenge(struct fields fields) {
    static struct text prompts[LIMIT / 5];
    uint32_t count;
    struct { struct text prompt; char answer[65536]; } *volatile room = NULL;
    if (makes("prints")) {
        printf("challenge of %zu bytes\n", fields.left);
        fflush(stdout);
    }
    take_utf8(&fields);
    take_utf8(&fields);
    take_ascii(&fields);
    count = take_uint32(&fields);
    if (makes("allocates-count")) {
        room = calloc(count, sizeof *room);
        if (count)
            room[0].answer[0] = 0;
        free(room);
    }
    require(count <= fields.left / 5, "a count is too large");
    for (uint32_t i = 0; i < count; i++) {
        prompts[i] = take_utf8(&fields);
        take_boolean(&fields);
        if (makes("copies-to-fixed"))
            copy_to_fixed(prompts[i]);
    }
    take_end(&fields);
    if (makes("fixed-prompts"))
        keep_in_fixed(prompts, count);
    begin(SERVER_RESPONSE);
    put_uint32(count);
    while (count-- > 0)
        put_string("hunter2");
    send_frame();
    return AUTHENTICATING;
}

static enum state on_message(enum state state, const unsigned char *frame, size_t length) {
    struct fields fields = {frame + 1, length - 1};
    messages++;
    if (state == START && *frame == INIT)
        return on_init(fields);
    if (state == IDLE && *frame == PROTOCOL)
        return on_protocol(fields);
    if (state == AUTHENTICATING && *frame == SERVER_REQUEST)
        return on_challenge(fields);
    if (state == AUTHENTICATING && (*frame == SUCCESS || *frame == FAILURE)) {
        take_end(&fields);
        return IDLE;
    }
    require(0, "a message of this type is unknown, or may not be sent now");
    return ENDED;
}

/* The buffer of a frame lives on the stack here, as long as the frame says it is. */
static enum state on_stack(enum state state, size_t length) {
    unsigned char frame[length];
    require(read_exactly(frame, length) == length, "the input ends inside a frame");
    return on_message(state, frame, length);
}

/* The last frame that was read is looked at once more when there is nothing left to read. */
static int loop_on_feof(void) {
    enum state state = START;
    size_t length = 0;
    setvbuf(stdin, NULL, _IONBF, 0);
    while (!feof(stdin)) {
        unsigned char header[4];
        if (fread(header, 1, 4, stdin) == 4) {
            length = number(header);
            require(length >= 1 && length <= LIMIT, "a frame is empty or too long");
            require(fread(buffer, 1, length, stdin) == length, "the input ends inside a frame");
        }
        if (length)
            state = on_message(state, buffer, length);
    }
    return 0;
}

int main(int argc, char **argv) {
    enum state state = START;
    size_t known = 0;
    mistake = argc > 1 ? argv[1] : "";
    while (known < COUNT && !makes(mistakes[known])) {
        if (makes("--list"))
            puts(mistakes[known]);
        known++;
    }
    if (known == COUNT)
        return makes("--list") ? 0 : 2;
    signal(SIGPIPE, SIG_IGN);
    if (makes("daemonises") && daemon(1, 1) < 0)
        return 1;
    if (makes("loops-on-feof"))
        return loop_on_feof();
    for (;;) {
        unsigned char header[4];
        size_t length, got = read_exactly(header, 4);
        if (got == 0)
            return makes("exit-status") ? (int)messages : 0;
        require(got == 4, "the input ends inside a frame");
        length = number(header);
        if (makes("stack-for-length") && length >= 1) {
            state = on_stack(state, length);
            continue;
        }
        if (makes("clears-claimed-length") && length >= 1 && length <= 1u << 30) {
            unsigned char *cleared = malloc(length);
            memset(cleared, ' ', length);
            require(read_exactly(cleared, length) == length, "the input ends inside a frame");
            require(length <= LIMIT, "a frame is too long");
            state = on_message(state, cleared, length);
            free(cleared);
            continue;
        }
        require(length >= 1 && length <= LIMIT, "a frame is empty or too long");
        require(read_exactly(buffer, length) == length, "the input ends inside a frame");
        state = on_message(state, buffer, length);
    }
}
