package com.fastn.context.engine;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A list whose elements carry their own links: to add one and to take any one out costs the same however long it is, and
 * allocates nothing. It is as thread-safe as what guards it.
 */
final class Chain<E extends Chain.Link<E>> {
    private @Nullable E first;
    private @Nullable E last;
    private int size;

    /** An element of at most one chain. */
    abstract static class Link<E extends Link<E>> {
        private @Nullable Chain<E> in;
        private @Nullable E previous;
        private @Nullable E next;
    }

    void add(E element) {
        Link<E> link = element;
        link.in = this;
        link.previous = last;
        if (last == null) {
            first = element;
        } else {
            ((Link<E>) last).next = element;
        }
        last = element;
        size++;
    }

    /** Takes an element out; does nothing when it is not in this chain. */
    void remove(E element) {
        Link<E> link = element;
        if (link.in != this) {
            return;
        }
        E before = link.previous;
        E after = link.next;
        if (before == null) {
            first = after;
        } else {
            ((Link<E>) before).next = after;
        }
        if (after == null) {
            last = before;
        } else {
            ((Link<E>) after).previous = before;
        }
        link.in = null;
        link.previous = null;
        link.next = null;
        size--;
    }

    /** Takes all elements out and gives them in their order. */
    List<E> drain() {
        List<E> all = list();
        all.forEach(this::remove);
        return all;
    }

    /** A copy, in the order in which the elements were added. */
    List<E> list() {
        List<E> all = new ArrayList<>(size);
        E element = first;
        while (element != null) {
            all.add(element);
            Link<E> link = element;
            element = link.next;
        }
        return all;
    }

    boolean contains(E element) {
        Link<E> link = element;
        return link.in == this;
    }

    @Nullable
    E first() {
        return first;
    }

    /** The one behind an element of this chain, or null. */
    @Nullable
    E after(E element) {
        Link<E> link = element;
        return link.next;
    }

    boolean isEmpty() {
        return size == 0;
    }

    int size() {
        return size;
    }
}
