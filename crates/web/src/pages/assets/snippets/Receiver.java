# Receiver.java
