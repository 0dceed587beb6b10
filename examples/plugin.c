/*
 * An authentication plugin for PuTTY and its kin (PuTTY manual, appendix H) in C99 and POSIX, on
 * nothing but libc.  It answers keyboard-interactive prompts from its command line, or asks the
 * user.  The habits that any plugin should have:
 *
 *   - A length is checked before anything waits for it, and against what is left of its frame
 *     before anything follows it.  Nothing is allocated for a message.
 *   - Standard output carries the protocol and nothing else.
 *   - A violation gets one line on standard error, exit status 1 and no answer.  The line never
 *     repeats what came in: that might be a password.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_FRAME 262144u /* the largest length field that is accepted or sent */
#define VERSION 2u

enum {
    PLUGIN_INIT = 1, PLUGIN_INIT_RESPONSE, PLUGIN_PROTOCOL, PLUGIN_PROTOCOL_ACCEPT,
    PLUGIN_PROTOCOL_REJECT, PLUGIN_AUTH_SUCCESS, PLUGIN_AUTH_FAILURE, PLUGIN_INIT_FAILURE,
    PLUGIN_KI_SERVER_REQUEST = 20, PLUGIN_KI_SERVER_RESPONSE, PLUGIN_KI_USER_REQUEST,
    PLUGIN_KI_USER_RESPONSE
};

enum state { START, IDLE, AUTHENTICATING, ASKING_USER, ENDED }; /* those where the client speaks */

struct text { const unsigned char *bytes; size_t length; };
struct answer { struct text prompt, response; };
struct fields { const unsigned char *at; size_t left; }; /* what is still to be read of a frame */

static struct { /* the command line */
    struct text username;
    struct answer *answers;
    size_t answer_count;
    int ask;
    const char *fail_init, *reject, *log;
} options;

static unsigned char input[MAX_FRAME], output[4 + MAX_FRAME];
static size_t output_length;
static unsigned char request[MAX_FRAME]; /* the server's request, kept while the user is asked */
static size_t request_length;
static uint32_t asked; /* how many of its prompts the user was asked */

static void require(int holds, const char *otherwise) {
    if (!holds) {
        fprintf(stderr, "plugin: %s\n", otherwise);
        exit(1);
    }
}

/* ---- Reading ---- */

/* Reads so many bytes, however few come at a time; fewer only at end of file. */
static size_t read_exactly(unsigned char *into, size_t wanted) {
    size_t got = 0;
    while (got < wanted) {
        ssize_t count = read(STDIN_FILENO, into + got, wanted - got);
        require(count >= 0 || errno == EINTR, "standard input cannot be read");
        if (count == 0)
            break;
        if (count > 0)
            got += (size_t)count;
    }
    return got;
}

static uint32_t take_uint32(struct fields *fields) {
    const unsigned char *at = fields->at;
    require(fields->left >= 4, "a field is cut short");
    fields->at += 4;
    fields->left -= 4;
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static unsigned char take_boolean(struct fields *fields) {
    require(fields->left >= 1, "a field is cut short");
    require(*fields->at <= 1, "a boolean is neither 0 nor 1");
    fields->left--;
    return *fields->at++;
}

static struct text take_string(struct fields *fields) {
    struct text text;
    text.length = take_uint32(fields);
    text.bytes = fields->at;
    require(text.length <= fields->left, "a string is longer than what is left of its frame");
    fields->at += text.length;
    fields->left -= text.length;
    return text;
}

/* No overlong form, no surrogate, nothing above U+10FFFF (RFC 3629). */
static int is_utf8(struct text text) {
    const unsigned char *at = text.bytes, *end = at + text.length;
    while (at < end) {
        unsigned char first = *at++;
        unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
        unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
        int more = first < 0x80 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
        if ((first >= 0x80 && first < 0xC2) || first > 0xF4)
            return 0;
        for (; more > 0; more--, at++, low = 0x80, high = 0xBF) /* these bound the second byte */
            if (at == end || *at < low || *at > high)
                return 0;
    }
    return 1;
}

static struct text take_utf8(struct fields *fields) {
    struct text text = take_string(fields);
    require(is_utf8(text), "a text is not UTF-8");
    return text;
}

static struct text take_ascii(struct fields *fields) {
    struct text text = take_string(fields);
    for (size_t i = 0; i < text.length; i++)
        require(text.bytes[i] < 0x80, "a method or language is not ASCII");
    return text;
}

/* A count of items, each of so many bytes at least, that what is left is able to hold. */
static uint32_t take_count(struct fields *fields, size_t least) {
    uint32_t count = take_uint32(fields);
    require(count <= fields->left / least, "a count is larger than its frame can hold");
    return count;
}

static void take_end(const struct fields *fields) {
    require(fields->left == 0, "bytes are left over behind the last field");
}

/* ---- Writing ---- */

static void put(const void *bytes, size_t length) {
    require(length <= sizeof output - output_length, "the answer does not fit into a frame");
    memcpy(output + output_length, bytes, length);
    output_length += length;
}

static void put_byte(unsigned char value) {
    put(&value, 1);
}

static void put_uint32(uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8)
        put_byte((unsigned char)(value >> shift));
}

static void put_text(struct text text) {
    put_uint32((uint32_t)text.length);
    put(text.bytes, text.length);
}

static struct text text_of(const char *string) {
    struct text text = {(const unsigned char *)string, strlen(string)};
    return text;
}

static void begin(unsigned char type) {
    output_length = 0;
    put_uint32(0); /* the length, which send_frame() knows */
    put_byte(type);
}

/* Sends what was put, unless the client has spoken again without waiting for it (H.1). */
static void send_frame(void) {
    struct pollfd early = {STDIN_FILENO, POLLIN, 0};
    size_t length = output_length, sent = 0;
    if (poll(&early, 1, 0) > 0 && (early.revents & POLLIN))
        require(read_exactly(input, 1) == 0, "the client spoke out of turn");
    output_length = 0;
    put_uint32((uint32_t)(length - 4));
    while (sent < length) {
        ssize_t count = write(STDOUT_FILENO, output + sent, length - sent);
        if (count < 0 && errno == EPIPE)
            exit(0); /* the client has gone, as it may at any time */
        require(count >= 0 || errno == EINTR, "standard output cannot be written");
        if (count > 0)
            sent += (size_t)count;
    }
}

/* ---- Answering: one function for each message, which returns the state that follows ---- */

static const struct answer *answer_to(struct text prompt) {
    for (size_t i = options.answer_count; i-- > 0;) { /* the last one given for a prompt holds */
        const struct answer *answer = &options.answers[i];
        if (answer->prompt.length == prompt.length &&
            memcmp(answer->prompt.bytes, prompt.bytes, prompt.length) == 0)
            return answer;
    }
    return NULL;
}

/* Asks the user for those of the kept request's prompts that no --answer covers. */
static enum state send_user_request(void) {
    struct fields fields = {request, request_length};
    begin(PLUGIN_KI_USER_REQUEST);
    for (int i = 0; i < 3; i++) /* name, instructions, language */
        put_text(take_string(&fields));
    put_uint32(asked);
    for (uint32_t count = take_uint32(&fields); count > 0; count--) {
        struct text prompt = take_string(&fields);
        unsigned char echo = take_boolean(&fields);
        if (!answer_to(prompt)) {
            put_text(prompt);
            put_byte(echo);
        }
    }
    send_frame();
    return ASKING_USER;
}

/* Answers the kept request; what the user was asked is taken from the user's responses. */
static enum state send_server_response(struct fields responses) {
    struct fields fields = {request, request_length};
    uint32_t count;
    for (int i = 0; i < 3; i++) /* name, instructions, language */
        take_string(&fields);
    count = take_uint32(&fields);
    begin(PLUGIN_KI_SERVER_RESPONSE);
    put_uint32(count);
    for (; count > 0; count--) {
        const struct answer *answer = answer_to(take_string(&fields));
        take_boolean(&fields);
        put_text(answer ? answer->response : asked ? take_string(&responses) : text_of(""));
    }
    send_frame();
    return AUTHENTICATING;
}

static enum state on_server_request(struct fields fields) {
    uint32_t uncovered = 0;
    memcpy(request, fields.at, fields.left);
    request_length = fields.left;
    take_utf8(&fields); /* name */
    take_utf8(&fields); /* instructions */
    take_ascii(&fields); /* language */
    for (uint32_t count = take_count(&fields, 5); count > 0; count--) {
        if (!answer_to(take_utf8(&fields)))
            uncovered++;
        take_boolean(&fields);
    }
    take_end(&fields);
    asked = options.ask ? uncovered : 0;
    return asked ? send_user_request() : send_server_response(fields);
}

static enum state on_user_response(struct fields fields) {
    uint32_t count = take_count(&fields, 4);
    struct fields responses = fields;
    require(count == asked, "there are not as many responses as prompts");
    for (; count > 0; count--)
        take_utf8(&fields);
    take_end(&fields);
    return send_server_response(responses);
}

static enum state on_init(struct fields fields) {
    const char *failure = options.fail_init;
    if (take_uint32(&fields) < VERSION && !failure)
        failure = "This plugin speaks version 2 of the plugin protocol, and no older one.";
    take_utf8(&fields); /* host name */
    take_uint32(&fields); /* port */
    take_utf8(&fields); /* the user name, where the client has one in mind */
    take_end(&fields);
    begin(failure ? PLUGIN_INIT_FAILURE : PLUGIN_INIT_RESPONSE);
    if (!failure)
        put_uint32(VERSION);
    put_text(failure ? text_of(failure) : options.username);
    send_frame();
    return failure ? ENDED : IDLE;
}

static enum state on_protocol(struct fields fields) {
    struct text method = take_ascii(&fields), known = text_of("keyboard-interactive");
    int is_known = method.length == known.length &&
                   memcmp(method.bytes, known.bytes, known.length) == 0;
    int accepted = is_known && !options.reject;
    take_end(&fields);
    begin(accepted ? PLUGIN_PROTOCOL_ACCEPT : PLUGIN_PROTOCOL_REJECT);
    if (!accepted)
        put_text(text_of(is_known ? options.reject : ""));
    send_frame();
    return accepted ? AUTHENTICATING : IDLE;
}

static enum state on_outcome(struct fields fields, const char *line) {
    take_end(&fields);
    if (options.log) {
        FILE *log = fopen(options.log, "a");
        require(log && fputs(line, log) != EOF && fclose(log) != EOF, "the log cannot be written");
    }
    return IDLE;
}

static enum state on_message(enum state state, unsigned char type, struct fields fields) {
    if (state == START && type == PLUGIN_INIT)
        return on_init(fields);
    if (state == IDLE && type == PLUGIN_PROTOCOL)
        return on_protocol(fields);
    if (state == AUTHENTICATING && type == PLUGIN_KI_SERVER_REQUEST)
        return on_server_request(fields);
    if (state == ASKING_USER && type == PLUGIN_KI_USER_RESPONSE)
        return on_user_response(fields);
    if (state == AUTHENTICATING && type == PLUGIN_AUTH_SUCCESS)
        return on_outcome(fields, "success\n");
    if (state == AUTHENTICATING && type == PLUGIN_AUTH_FAILURE)
        return on_outcome(fields, "failure\n");
    require(0, "a message of this type is unknown, or may not be sent now");
    return ENDED;
}

static int read_options(int argc, char **argv) {
    options.username = text_of("");
    options.answers = calloc((size_t)argc + 1, sizeof *options.answers);
    require(options.answers != NULL, "out of memory");
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value, *equals;
        if (strcmp(name, "--ask") == 0) {
            options.ask = 1;
            continue;
        }
        value = argv[++i]; /* at the end, argv[argc]: NULL */
        if (!value || !is_utf8(text_of(value)))
            return 0;
        if (strcmp(name, "--username") == 0)
            options.username = text_of(value);
        else if (strcmp(name, "--answer") == 0 && (equals = strchr(value, '=')) != NULL) {
            struct answer *answer = &options.answers[options.answer_count++];
            answer->prompt = text_of(value);
            answer->prompt.length = (size_t)(equals - value);
            answer->response = text_of(equals + 1);
        } else if (strcmp(name, "--fail-init") == 0)
            options.fail_init = value;
        else if (strcmp(name, "--reject") == 0)
            options.reject = value;
        else if (strcmp(name, "--log") == 0)
            options.log = value;
        else
            return 0;
    }
    return 1;
}

int main(int argc, char **argv) {
    enum state state = START;
    if (!read_options(argc, argv)) {
        fputs("usage: plugin [--username NAME] [--answer PROMPT=RESPONSE]... [--ask]\n"
              "              [--fail-init MESSAGE] [--reject MESSAGE] [--log FILE]\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        unsigned char header[4];
        struct fields fields = {header, 4};
        size_t length, got = read_exactly(header, 4);
        if (got == 0)
            return 0; /* the end of the input between two frames is the client's farewell (H.5) */
        require(got == 4, "the input ends inside a frame");
        length = take_uint32(&fields);
        require(length >= 1 && length <= MAX_FRAME, "a frame is empty or longer than 262144 bytes");
        require(read_exactly(input, length) == length, "the input ends inside a frame");
        fields.at = input + 1;
        fields.left = length - 1;
        state = on_message(state, input[0], fields);
    }
}
