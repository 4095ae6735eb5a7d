package com.fastn.context.vertx;

/**
 * Names of bounded number for the calls of HTTP clients: the method, and the host with its port as it was asked for. Where a host
 * of each user or tenant is called, its part between two dots is a value, as in {@code GET :id.shop.example}.
 */
final class CallNames {
    private static final int MOST_PARTS = 8;
    private static final int LONGEST_WORD = 64;

    private final LearnedWords words = new LearnedWords("", ".");

    String call(String method, String url) {
        String host = HttpNames.authority(url);
        LearnedWords.Place place = words.first();
        int parts = 0;
        int at = 0;
        while (at >= 0 && parts < MOST_PARTS) {
            int dot = host.indexOf('.', at);
            int end = dot < 0 ? host.length() : dot;
            place = end - at <= LONGEST_WORD ? place.word(host.substring(at, end)) : place.value();
            parts++;
            at = dot < 0 ? -1 : dot + 1;
        }
        if (at >= 0) {
            place = place.rest();
        }
        place.seen();
        return place.textAfter(method);
    }
}
