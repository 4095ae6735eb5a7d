package app;

import com.fastn.context.engine.Engine;

public class Main {
    public static void main(String[] args) {
        System.out.println(new Engine());
    }
}
