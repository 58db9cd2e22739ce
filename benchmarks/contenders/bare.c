/* Takes messages, lets libmosquitto acknowledge them, keeps only their count, in standard output.
   bare PORT CLIENT TOPIC */
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>

static const char *topic;
static long count;

static void on_connect(struct mosquitto *client, void *data, int refusal)
{
    (void)data;
    if (refusal || mosquitto_subscribe(client, NULL, topic, 1))
        exit(1);
}

static void on_message(struct mosquitto *client, void *data, const struct mosquitto_message *message)
{
    (void)client, (void)data, (void)message;
    if (++count % 50 == 0) {
        printf("%ld\n", count);
        fflush(stdout);
    }
}

int main(int words, char **word)
{
    if (words != 4)
        return 2;
    topic = word[3];
    mosquitto_lib_init();
    struct mosquitto *client = mosquitto_new(word[2], false, NULL);
    if (!client)
        return 1;
    mosquitto_connect_callback_set(client, on_connect);
    mosquitto_message_callback_set(client, on_message);
    if (mosquitto_connect(client, "127.0.0.1", atoi(word[1]), 60))
        return 1;
    return mosquitto_loop_forever(client, -1, 1);
}
